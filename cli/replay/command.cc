#include "cli/replay/command.h"

#include <fstream>
#include <iostream>
#include <memory>

#include "cli/replay/replay.h"
#include "core/api/duration.h"
#include "core/api/timestamp.h"

namespace updraft::cli {
namespace {

struct Parsed {
  ReplayOptions options;
  std::string cold_start = "500ms";
  std::string every = "10s";
  std::string start;
};

int Fail(const std::string& what) {
  std::cerr << "error: " << what << "\n";
  return 1;
}

// Empty, or what is wrong.
std::string Read(const Parsed& parsed, ModelOptions& model) {
  const auto cold_start = api::ParseGoDuration(parsed.cold_start);
  if (!cold_start || *cold_start < Nanos(0))
    return "--cold-start \"" + parsed.cold_start + "\": use one such as 500ms";
  const auto every = api::ParseGoDuration(parsed.every);
  if (!every || *every < Millis(100))
    return "--every \"" + parsed.every + "\": use one such as 10s, at least 100ms";
  model.cold_start = *cold_start;
  model.row_every = *every;
  if (parsed.start.empty()) return {};
  const auto start = api::ParseTimestamp(parsed.start);
  if (!start) return "--start \"" + parsed.start + "\": use one such as 2026-03-01T00:00:00Z";
  model.start = *start;
  return {};
}

int Run(Parsed& parsed) {
  ReplayOptions& options = parsed.options;
  if (const std::string wrong = Read(parsed, options.model); !wrong.empty()) return Fail(wrong);
  std::ios::sync_with_stdio(false);
  std::ifstream file;
  const bool standard = options.file == "-";
  if (!standard) {
    file.open(options.file);
    if (!file) return Fail(options.file + ": cannot be read");
  }
  const Status replayed = Replay(options, standard ? std::cin : file, std::cout, std::cerr);
  std::cout.flush();
  return replayed ? 0 : Fail(replayed.error().message);
}

}  // namespace

void AddReplayCommand(CLI::App& app, int& exit_code) {
  const auto parsed = std::make_shared<Parsed>();
  CLI::App* replay = app.add_subcommand("replay", "Show what the autoscaler would have done");
  replay
      ->add_option("file", parsed->options.file,
                   "JSON lines: observations or requests; - for standard input")
      ->required();
  replay->add_option("--manifest", parsed->options.manifests,
                     "A Service, for requests; repeated: they are compared");
  replay->add_option("--plot", parsed->options.plot, "Draw it into this SVG file");
  replay->add_option("--cold-start", parsed->cold_start, "How long an instance takes to start")
      ->capture_default_str();
  replay->add_option("--every", parsed->every, "Time between two lines of the answer to requests")
      ->capture_default_str();
  replay->add_option("--start", parsed->start,
                     "What the clock on the wall shows at second 0, for schedules");
  replay->callback([parsed, &exit_code] { exit_code = Run(*parsed); });
}

}  // namespace updraft::cli
