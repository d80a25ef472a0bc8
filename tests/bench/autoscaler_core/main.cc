// What the autoscaler's core costs at a size: processor time and memory of one tick over all revisions, of the reports of
// all activators, and of one first request's decision.
//
//   updraft_autoscaler_bench --revisions N --activators N [--ticks N]
//
// Prints one JSON object.
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "autoscaler/kpa/fleet.h"

namespace {

using namespace updraft;              // NOLINT(google-build-using-namespace)
using namespace updraft::autoscaler;  // NOLINT(google-build-using-namespace)

double CpuMicros() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) * 1e-3;
}

double ResidentMegabytes() {
  std::ifstream file("/proc/self/statm");
  double size = 0;
  double resident = 0;
  file >> size >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1e6;
}

class World {
 public:
  World(int revisions, int activators) {
    for (int i = 0; i < activators; ++i) {
      activators_.push_back("activator-" + std::to_string(i));
      fleet_.ActivatorConnected(activators_.back(), 1);
    }
    for (int i = 0; i < revisions; ++i) {
      keys_.push_back("default/service-" + std::to_string(i) + "-00001");
      fleet_.Put(keys_.back(), Running(1), now_);
    }
    fleet_.TakeChanges();
  }

  // A second passes: each activator reports every revision, with a request in flight in one of its hundred.
  double ReportAll() {
    now_ += Seconds(1);
    ++seconds_;
    std::vector<std::vector<LoadLine>> reports(activators_.size());
    for (size_t a = 0; a < activators_.size(); ++a) {
      for (size_t r = a % 10; r < keys_.size(); r += 10) reports[a].push_back(Line(keys_[r]));
    }
    const double before = CpuMicros();
    for (size_t a = 0; a < activators_.size(); ++a) fleet_.Report(activators_[a], reports[a], false, now_);
    lines_ = reports.empty() ? 0 : reports[0].size() * reports.size();
    return CpuMicros() - before;
  }

  double Tick() {
    const double before = CpuMicros();
    fleet_.Tick(now_, FromUnixNanos(0) + now_.time_since_epoch());
    const double took = CpuMicros() - before;
    fleet_.TakeChanges();
    return took;
  }

  // A request finds no instance of a revision that is at zero.
  double FirstRequest(int number) {
    const std::string key = "default/asleep-" + std::to_string(number) + "-00001";
    fleet_.Put(key, Running(0), now_);
    fleet_.TakeChanges();
    const std::vector<LoadLine> demand = {{key, {.request_count = 1, .waiting = 1, .read_at = Seconds(1)}, 1}};
    const double before = CpuMicros();
    fleet_.Report(activators_[0], demand, false, now_);
    const auto changes = fleet_.TakeChanges();
    const double took = CpuMicros() - before;
    if (changes.size() != 1 || changes[0].decision.desired != 1) std::abort();
    return took;
  }

  size_t lines() const { return lines_; }

 private:
  static Target Running(int ready) {
    Target target;
    target.annotations = {{"autoscaling.knative.dev/target", "10"}, {"autoscaling.knative.dev/max-scale", "20"}};
    target.ready = ready;
    target.initialized = true;
    return target;
  }

  LoadLine Line(const std::string& key) const {
    const double area = static_cast<double>(seconds_);
    return {key, {.request_seconds = area, .request_count = static_cast<uint64_t>(seconds_), .running = 1, .read_at = Seconds(seconds_)}, 0};
  }

  Fleet fleet_{Defaults{}};
  TimePoint now_{Seconds(100'000)};
  int64_t seconds_ = 0;
  size_t lines_ = 0;
  std::vector<std::string> activators_;
  std::vector<std::string> keys_;
};

double Mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

}  // namespace

int main(int argc, char** argv) {
  int revisions = 10'000;
  int activators = 100;
  int ticks = 30;
  CLI::App app("Cost of the autoscaler's core");
  app.add_option("--revisions", revisions);
  app.add_option("--activators", activators);
  app.add_option("--ticks", ticks);
  CLI11_PARSE(app, argc, argv);
  const double empty = ResidentMegabytes();
  World world(revisions, activators);
  std::vector<double> tick;
  std::vector<double> report;
  for (int i = 0; i < ticks; ++i) {
    report.push_back(world.ReportAll());
    report.push_back(world.ReportAll());
    tick.push_back(world.Tick());
  }
  const double full = ResidentMegabytes();
  std::vector<double> first;
  for (int i = 0; i < 1000; ++i) first.push_back(world.FirstRequest(i));
  std::printf(
      "{\"revisions\":%d,\"activators\":%d,\"tick_ms\":%.3f,\"reports_ms\":%.3f,\"lines\":%zu,\"line_ns\":%.0f,"
      "\"first_request_us\":%.2f,\"memory_mb\":%.1f}\n",
      revisions, activators, Mean(tick) / 1000, Mean(report) / 1000, world.lines(),
      Mean(report) * 1000 / static_cast<double>(std::max<size_t>(1, world.lines())), Mean(first), full - empty);
  return 0;
}
