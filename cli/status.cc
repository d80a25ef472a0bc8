#include "cli/status.h"

#include <iomanip>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>

#include "cli/platform/config.h"
#include "cli/platform/files.h"
#include "cli/platform/health.h"
#include "cli/platform/process.h"
#include "cli/platform/programs.h"
#include "core/base/clock.h"

namespace updraft::cli {
namespace {

std::string Age(WallTime since) {
  const int64_t seconds = (RealClock().Wall() - since) / Seconds(1);
  if (seconds < 120) return std::to_string(seconds) + "s";
  if (seconds < 7200) return std::to_string(seconds / 60) + "m";
  if (seconds < 172'800) return std::to_string(seconds / 3600) + "h";
  return std::to_string(seconds / 86'400) + "d";
}

struct Row {
  std::string pid = "-";
  std::string age = "-";
  std::string memory = "-";
  int restarts = 0;
  std::string last_end;
};

std::map<std::string, Row> ReadRows(const PlatformPaths& paths) {
  std::map<std::string, Row> rows;
  const Result<std::string> text = ReadFile(paths.status_file);
  if (!text) return rows;
  const auto status = nlohmann::json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (!status.is_array()) return rows;
  for (const auto& entry : status) {
    Row row;
    row.restarts = entry.value("restarts", 0);
    row.last_end = entry.value("last_end", "");
    const ProcessIdentity process{entry.value("pid", 0), entry.value("start_ticks", uint64_t{0})};
    if (process.pid != 0 && IsAlive(process)) {
      row.pid = std::to_string(process.pid);
      row.age = Age(FromUnixNanos(entry.value("since", int64_t{0})));
      row.memory = std::to_string((PssKilobytes(process.pid) + 512) / 1024) + " MB";
    }
    rows[entry.value("name", "")] = row;
  }
  return rows;
}

}  // namespace

int PrintStatus(const std::string& run) {
  const Result<PlatformConfig> config = LoadPlatform(run);
  if (!config) {
    std::cout << "Updraft is down: " << config.error().message << ".\n";
    return 1;
  }
  const PlatformPaths paths(*config);
  std::map<std::string, Row> rows = ReadRows(paths);
  bool all_ready = true;
  std::cout << std::left << std::setw(12) << "PROGRAM" << std::setw(8) << "READY" << std::setw(9) << "PID"
            << std::setw(7) << "AGE" << std::setw(10) << "RESTARTS" << std::setw(9) << "MEMORY" << "DETAIL\n";
  for (const Program& program : ProgramsOf(*config)) {
    const Row& row = rows[program.name];
    const Status ready = CheckReady(program);
    all_ready = all_ready && ready;
    std::cout << std::setw(12) << program.name << std::setw(8) << (ready ? "yes" : "no") << std::setw(9) << row.pid
              << std::setw(7) << row.age << std::setw(10) << row.restarts << std::setw(9) << row.memory
              << (ready ? row.last_end.empty() ? "" : "last end: " + row.last_end : ready.error().message) << "\n";
  }
  if (!ReadPid(paths.pids + "/supervisor")) {
    std::cout << "The supervisor is gone: nothing is restarted until `updraft up`.\n";
    all_ready = false;
  }
  std::cout << "runtime " << config->runtime << ": " << config->runtime_reason << "\n"
            << "API http://" << config->api_address << ", kubeconfig " << paths.kubeconfig << "\n";
  return all_ready ? 0 : 1;
}

}  // namespace updraft::cli
