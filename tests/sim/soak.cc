// Simulations until stopped, one seed after the other, with figures.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <map>

#include "core/base/clock.h"
#include "tests/sim/world.h"

namespace updraft::sim {
namespace {

double Hours(Nanos span) { return std::chrono::duration<double, std::ratio<3600>>(span).count(); }
double ToSeconds(Nanos span) { return std::chrono::duration<double>(span).count(); }

int Run(const WorldOptions& options, uint64_t seeds) {
  const TimePoint began = RealClock().Now();
  Nanos lived{0};
  uint64_t events = 0;
  uint64_t failed = 0;
  std::map<Outcome, uint64_t> outcomes;
  for (uint64_t done = 0; seeds == 0 || done < seeds;) {
    WorldOptions next = options;
    next.seed = options.seed + done;
    World world(next);
    const std::vector<std::string> violations = world.Live();
    ++done;
    lived += world.lived();
    events += world.events();
    for (const auto& [outcome, count] : world.outcomes()) outcomes[outcome] += count;
    if (!violations.empty()) ++failed;
    for (const std::string& what : violations) {
      std::printf("seed %llu: %s\n", static_cast<unsigned long long>(next.seed), what.c_str());
    }
    if (done % 20 != 0 && violations.empty() && done != seeds) continue;
    const double took = ToSeconds(RealClock().Now() - began);
    std::printf("%llu seeds, %llu failed, %.1f virtual hours in %.0f s, %.1f million events, requests:",
                static_cast<unsigned long long>(done), static_cast<unsigned long long>(failed), Hours(lived), took,
                static_cast<double>(events) / 1e6);
    for (const auto& [outcome, count] : outcomes) {
      std::printf(" %llu %s", static_cast<unsigned long long>(count), NameOf(outcome));
    }
    std::printf("\n");
    std::fflush(stdout);
  }
  return failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace updraft::sim

int main(int argc, char** argv) {
  updraft::sim::WorldOptions options;
  uint64_t seeds = 0;
  CLI::App app("Simulations of the whole platform until stopped, with figures");
  app.add_option("--seed", options.seed, "The first seed")->capture_default_str();
  app.add_option("--seeds", seeds, "How many; 0: until stopped")->capture_default_str();
  app.add_option("--nodes", options.nodes, "Machines")->capture_default_str();
  app.add_option("--activators", options.activators, "Activators")->capture_default_str();
  app.add_option("--services", options.services, "Services at a time")->capture_default_str();
  std::map<std::string, updraft::sim::Sabotage> ways;
  for (const auto& [sabotage, name] : updraft::sim::kSabotages) ways.emplace(name, sabotage);
  app.add_option("--broken", options.sabotage, "Breaks the platform on purpose")
      ->transform(CLI::CheckedTransformer(ways, CLI::ignore_case));
  app.add_flag("--trace", options.trace, "Tells on standard error what happens");
  CLI11_PARSE(app, argc, argv);
  return updraft::sim::Run(options, seeds);
}
