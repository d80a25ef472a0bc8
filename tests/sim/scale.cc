// One large world for about an hour of its time: what it costs. Prints figures; fails when something does not hold.
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "core/base/clock.h"
#include "tests/sim/world.h"

namespace updraft::sim {
namespace {

int Run(const WorldOptions& options) {
  const TimePoint began = RealClock().Now();
  World world(options);
  const std::vector<std::string> violations = world.Live();
  const double took = std::chrono::duration<double>(RealClock().Now() - began).count();
  const double lived = std::chrono::duration<double>(world.lived()).count();
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::printf("nodes %u, services %u, activators %u\n", options.nodes, options.services, options.activators);
  std::printf("virtual %.0f s, real %.1f s, ratio %.1f, cpu %.1f s\n", lived, took, lived / took,
              static_cast<double>(usage.ru_utime.tv_sec) + static_cast<double>(usage.ru_utime.tv_usec) * 1e-6);
  std::printf("events %.2f million, %.0f a second, memory %.0f MB\n", static_cast<double>(world.events()) / 1e6,
              static_cast<double>(world.events()) / took, static_cast<double>(usage.ru_maxrss) / 1024);
  std::printf("requests:");
  for (const auto& [outcome, count] : world.outcomes()) {
    std::printf(" %llu %s", static_cast<unsigned long long>(count), NameOf(outcome));
  }
  std::printf("\n");
  for (const std::string& what : violations) std::printf("%s\n", what.c_str());
  return violations.empty() ? 0 : 1;
}

}  // namespace
}  // namespace updraft::sim

int main(int argc, char** argv) {
  updraft::sim::WorldOptions options{.seed = 1,
                                     .nodes = 1000,
                                     .activators = 3,
                                     .services = 10'000,
                                     .storm = std::chrono::minutes(30),
                                     .fault_every = std::chrono::seconds(15),
                                     .users_take = std::chrono::seconds(2),
                                     .all_at_first = true,
                                     .busy = 0.05};
  CLI::App app("A thousand nodes and ten thousand revisions for an hour of virtual time");
  app.add_option("--seed", options.seed, "What happens")->capture_default_str();
  app.add_option("--nodes", options.nodes, "Machines")->capture_default_str();
  app.add_option("--services", options.services, "Services, a revision each at first")->capture_default_str();
  app.add_flag("--trace", options.trace, "Tells on standard error what happens");
  CLI11_PARSE(app, argc, argv);
  return updraft::sim::Run(options);
}
