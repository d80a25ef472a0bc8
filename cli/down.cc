#include "cli/down.h"

#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <iostream>

#include "cli/platform/config.h"
#include "cli/platform/process.h"
#include "cli/supervise/stop.h"
#include "core/base/log.h"

namespace updraft::cli {
namespace {

constexpr int kSupervisorMillis = 60'000;

void StopSupervised(const PlatformConfig& config) {
  const auto supervisor = ReadPid(PlatformPaths(config).pids + "/supervisor");
  if (supervisor) {
    SendSignal(*supervisor, SIGTERM);
    if (!WaitForEnd(*supervisor, kSupervisorMillis)) {
      SendSignal(*supervisor, SIGKILL);
      WaitForEnd(*supervisor, 5000);
    }
  }
  StopPrograms(config);  // finds nothing unless the supervisor was gone
}

}  // namespace

int Down(const DownOptions& options) {
  if (geteuid() != 0) {
    std::cerr << "updraft down: root is needed; try: sudo updraft down\n";
    return 1;
  }
  StartLogging("down", Level::kWarn);
  const Result<PlatformConfig> config = LoadPlatform(options.run);
  if (!config) {
    std::cout << "Nothing to stop: " << config.error().message << ".\n";
    return config.error().code == Code::kNotFound ? 0 : 1;
  }
  StopSupervised(*config);
  Status removed = RemoveTraces(*config);
  if (options.purge) {
    std::error_code error;
    std::filesystem::remove_all(config->state, error);
    if (error) removed = Error{Code::kInternal, config->state + ": " + error.message()};
  }
  if (!removed) {
    std::cerr << "updraft down: " << removed.error().message << "\n";
    return 1;
  }
  std::cout << "Updraft is down." << (options.purge ? "" : " Specs and images are kept in " + config->state + ".") << "\n";
  return 0;
}

}  // namespace updraft::cli
