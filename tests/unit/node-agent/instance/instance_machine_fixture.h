// An instance that hears what a test says, and the specs and words of such tests.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "core/base/clock.h"
#include "node-agent/instance/instance_machine.h"

namespace updraft::node_agent {

// The words of actions, so that a failing expectation can be read.
inline std::string Word(const RunId& run) { return " " + std::to_string(run.container) + "." + std::to_string(run.run); }
inline std::string Word(const Action& action) {
  struct Say {
    std::string operator()(const action::EnsureImage& a) { return "image " + std::to_string(a.container); }
    std::string operator()(const action::ClaimNetwork&) { return "network"; }
    std::string operator()(const action::PrepareRoot& a) { return "prepare" + Word(a.run); }
    std::string operator()(const action::Create& a) { return "create" + Word(a.run); }
    std::string operator()(const action::Start& a) { return "start" + Word(a.run); }
    std::string operator()(const action::Probe& a) { return "probe" + Word(a.run); }
    std::string operator()(const action::Signal& a) { return (a.signal == SIGTERM ? "term" : "kill") + Word(a.run); }
    std::string operator()(const action::Remove& a) { return "remove" + Word(a.run); }
    std::string operator()(const action::RememberReady& a) { return "remember" + Word(a.run); }
    std::string operator()(const action::ReleaseNetwork&) { return "release"; }
    std::string operator()(const action::Report&) { return "report"; }
    std::string operator()(const action::Forget&) { return "forget"; }
  };
  return std::visit(Say{}, action);
}

inline v1::InstanceSpec OneContainer() {
  v1::InstanceSpec spec;
  spec.set_instance_id("hello-1");
  spec.set_namespace_("default");
  spec.set_revision("hello-00001");
  spec.set_serving_container("user");
  spec.set_port(8080);
  spec.set_termination_grace_ns(Nanos(Seconds(30)).count());
  v1::Container& container = *spec.add_containers();
  container.set_name("user");
  container.set_image("img");
  return spec;
}

inline v1::InstanceSpec WithInitAndSidecar() {
  v1::InstanceSpec spec = OneContainer();
  for (const char* name : {"init-a", "init-b"}) {
    v1::Container& init = *spec.add_init_containers();
    init.set_name(name);
    init.set_image("img");
  }
  v1::Container& sidecar = *spec.add_containers();
  sidecar.set_name("sidecar");
  sidecar.set_image("img");
  return spec;
}

class Subject {
 public:
  explicit Subject(const v1::InstanceSpec& spec = OneContainer())
      : machine(std::make_shared<v1::InstanceSpec>(spec)) {}

  // Every action but reports, which most tests see by their content.
  std::vector<std::string> On(const Event& event) {
    std::vector<std::string> words;
    reported = false;
    for (const Action& action : machine.Handle(event, {clock.Now(), clock.Wall()})) {
      const std::string word = Word(action);
      if (word == "report") {
        EXPECT_TRUE(words.empty()) << "the report is first";
        reported = true;
      } else {
        words.push_back(word);
      }
    }
    return words;
  }
  std::vector<std::string> Tick(Nanos after) {
    clock.Advance(after);
    return On(event::Tick{});
  }

  void RunTo(RunId run, const char* until) {
    if (run.run == 0 && machine.state(run.container) == RunState::kWaiting && !begun) {
      On(event::Begin{});
      On(event::NetworkReady{"10.0.0.2"});
      begun = true;
    }
    if (machine.state(run.container) == RunState::kWaiting) On(event::ImageReady{run.container});
    if (until == std::string("creating")) return;
    On(event::Created{.run = run, .claimed = clock.Wall()});
    if (until == std::string("starting")) return;
    On(event::Started{run});
    if (until == std::string("running")) return;
    On(event::Health{.run = run, .health = {.started = true, .ready = true}, .message = {}});
    On(event::Listening{run});
  }
  void Crash(RunId run, uint32_t status = 1) {
    On(event::Exited{.run = run, .exit_status = status, .message = "why", .finished = clock.Wall()});
    On(event::ImageReady{run.container});
    On(event::Removed{run});
  }

  const v1::ContainerReport& Container(int place = 0) const { return machine.report().containers(place); }

  FakeClock clock;
  InstanceMachine machine;
  bool reported = false;
  bool begun = false;
};

inline constexpr RunId kFirst{0, 0};
inline constexpr RunId kSecond{0, 1};

}  // namespace updraft::node_agent
