// From the order to start an instance to the first byte of its first response, over a real containerd; once a line
// for each way of doing it, interleaved so that a noisy machine treats them alike.
//
//   node_agent_instance_bench [rounds]
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/base/log.h"
#include "tests/integration/instance/test_agent.h"

namespace updraft::node_agent {
namespace {

struct Way {
  std::string name;
  TestAgentOptions options;
};

double Milliseconds(Nanos duration) { return static_cast<double>(duration.count()) / 1e6; }

double At(std::vector<double> samples, double quantile) {
  std::ranges::sort(samples);
  return samples[static_cast<size_t>(static_cast<double>(samples.size() - 1) * quantile)];
}

struct Samples {
  std::vector<double> first_byte;
  std::vector<double> claimed;
  std::vector<double> started;
  std::vector<double> teardown;
};

// One instance after the other; `keep`: beside one of the same revision that runs already.
void Alone(TestAgent& agent, int round, Samples& samples) {
  const std::string id = "alone-" + std::to_string(round);
  const uint16_t port = FreePort();
  const v1::InstanceSpec spec = Spec(id, port, {"serve"});
  const TimePoint began = RealClock().Now();
  const WallTime began_wall = RealClock().Wall();
  agent.Start(spec);
  const v1::InstanceReport ready = agent.WaitForPhase(id, v1::INSTANCE_READY);
  if (Get(port, "/") != "ok") std::abort();
  samples.first_byte.push_back(Milliseconds(RealClock().Now() - began));
  samples.claimed.push_back(Milliseconds(FromUnixNanos(ready.cold_start().claimed_ns()) - began_wall));
  samples.started.push_back(Milliseconds(FromUnixNanos(ready.cold_start().started_ns()) - began_wall));
  const TimePoint stopping = RealClock().Now();
  agent.Stop(id, Seconds(5));
  agent.WaitForPhase(id, v1::INSTANCE_STOPPED);
  samples.teardown.push_back(Milliseconds(RealClock().Now() - stopping));
}

double Together(TestAgent& agent, int round, int count) {
  std::vector<v1::InstanceSpec> specs;
  for (int i = 0; i < count; ++i) {
    specs.push_back(Spec("many-" + std::to_string(round) + "-" + std::to_string(i), FreePort(), {"serve"}));
  }
  const TimePoint began = RealClock().Now();
  for (const v1::InstanceSpec& spec : specs) agent.Start(spec);
  for (const v1::InstanceSpec& spec : specs) agent.WaitForPhase(spec.instance_id(), v1::INSTANCE_READY);
  const double took = Milliseconds(RealClock().Now() - began);
  for (const v1::InstanceSpec& spec : specs) agent.Stop(spec.instance_id(), Seconds(5));
  for (const v1::InstanceSpec& spec : specs) agent.WaitForPhase(spec.instance_id(), v1::INSTANCE_STOPPED);
  return took;
}

int Run(int rounds) {
  StartLogging("bench", Level::kError);
  const std::vector<Way> ways = {
      {"crun, shim of its own, compiled seccomp", {}},
      {"crun, shim of its own, runtime compiles seccomp", {.compiled_seccomp = false}},
      {"crun, shim per revision, compiled seccomp", {.shim_sharing = ShimSharing::kPerRevision}},
      {"runc, shim of its own", {.runtime_binary = "/usr/sbin/runc", .compiled_seccomp = false}},
  };
  struct Running {
    PrivateContainerd containerd;
    std::unique_ptr<TestAgent> agent;
    Samples alone;
    Samples second;
    std::map<int, std::vector<double>> together;
  };
  std::vector<std::unique_ptr<Running>> running;
  for (const Way& way : ways) {
    running.push_back(std::make_unique<Running>());
    running.back()->agent = std::make_unique<TestAgent>(running.back()->containerd, way.options);
    running.back()->agent->WaitUntilReady();
  }
  for (int round = 0; round < rounds; ++round) {
    for (auto& one : running) Alone(*one->agent, round, one->alone);
  }
  // Beside an instance of the same revision: where shims are shared there is one already.
  for (auto& one : running) {
    one->agent->Start(Spec("first", FreePort(), {"serve"}));
    one->agent->WaitForPhase("first", v1::INSTANCE_READY);
  }
  for (int round = 0; round < rounds; ++round) {
    for (auto& one : running) Alone(*one->agent, rounds + round, one->second);
  }
  for (auto& one : running) {
    one->agent->Stop("first", Seconds(5));
    one->agent->WaitForPhase("first", v1::INSTANCE_STOPPED);
  }
  for (const int count : {4, 16}) {
    for (int round = 0; round < std::max(3, rounds / 10); ++round) {
      for (auto& one : running) one->together[count].push_back(Together(*one->agent, round + 1000 * count, count));
    }
  }
  std::printf("milliseconds, median (p90) of %d\n", rounds);
  for (size_t i = 0; i < ways.size(); ++i) {
    const Running& one = *running[i];
    std::printf("%-50s first byte %5.1f (%5.1f) = claimed %4.1f, started %5.1f; beside another %5.1f (%5.1f); stop %5.1f; 4 at once %5.0f; 16 at once %5.0f\n",
                ways[i].name.c_str(), At(one.alone.first_byte, 0.5), At(one.alone.first_byte, 0.9),
                At(one.alone.claimed, 0.5), At(one.alone.started, 0.5), At(one.second.first_byte, 0.5),
                At(one.second.first_byte, 0.9), At(one.alone.teardown, 0.5), At(one.together.at(4), 0.5),
                At(one.together.at(16), 0.5));
  }
  for (auto& one : running) one->agent->StopAll(Millis(1));
  return 0;
}

}  // namespace
}  // namespace updraft::node_agent

int main(int count, char** values) { return updraft::node_agent::Run(count > 1 ? std::atoi(values[1]) : 30); }
