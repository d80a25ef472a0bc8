// What happens to an instance and what is to be done about it: the words that the state machine
// (instance_machine.h) and its executor (instance_host.h) exchange. Plain values. Pure.
//
// A container is named by its place: init containers first, then the others, in the spec's order. A run is one
// execution of a container; runs count up, so that what is said about an earlier one is told from what matters.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "core/base/clock.h"
#include "node-agent/probe/probe_machine.h"

namespace updraft::node_agent {

struct Moment {
  TimePoint now;
  WallTime wall;
};

struct RunId {
  int container = 0;
  int run = 0;
  bool operator==(const RunId&) const = default;
};

namespace event {

struct Begin {};
struct ImageReady {
  int container = 0;
};
struct ImageFailed {
  int container = 0;
  std::string reason;   // "ErrImagePull", "InvalidImageName", ...
  std::string message;
};
struct NetworkReady {
  std::string ip;
};
struct NetworkFailed {
  std::string message;
};
// The runtime holds the container; the user's program does not run yet.
struct Created {
  RunId run;
  WallTime claimed;  // when image, network and root file system were at hand
};
enum class Blame {
  kConfig,     // the spec asks for something impossible: CreateContainerConfigError
  kContainer,  // counts as a crash
  kMachine,    // containerd was away, or a deadline passed: nobody's fault, tried again soon
};
struct CreateFailed {
  RunId run;
  Blame blame = Blame::kContainer;
  std::string message;
};
struct Started {
  RunId run;
};
struct StartFailed {
  RunId run;
  Blame blame = Blame::kContainer;
  std::string message;
};
// The serving port accepts connections.
struct Listening {
  RunId run;
};
struct Health {
  RunId run;
  ContainerHealth health;
  std::string message;
};
struct Exited {
  RunId run;
  uint32_t exit_status = 0;  // 128+n for a signal
  bool out_of_memory = false;
  std::string message;       // of the termination message file, or the log's tail
  WallTime finished;
};
// Nothing of the run is left.
struct Removed {
  RunId run;
};
struct Stop {
  Nanos grace{0};
};
// The node can bear it no longer.
struct Evict {
  std::string message;
};
struct Tick {};

}  // namespace event

using Event = std::variant<event::Begin, event::ImageReady, event::ImageFailed, event::NetworkReady,
                           event::NetworkFailed, event::Created, event::CreateFailed, event::Started,
                           event::StartFailed, event::Listening, event::Health, event::Exited, event::Removed,
                           event::Stop, event::Evict, event::Tick>;

namespace action {

struct EnsureImage {
  int container = 0;
  bool operator==(const EnsureImage&) const = default;
};
struct ClaimNetwork {
  bool operator==(const ClaimNetwork&) const = default;
};
struct PrepareRoot {
  RunId run;
  bool operator==(const PrepareRoot&) const = default;
};
struct Create {  // answered by Created or CreateFailed
  RunId run;
  bool operator==(const Create&) const = default;
};
struct Start {  // answered by Started or StartFailed; the serving container's port is watched from here on
  RunId run;
  bool operator==(const Start&) const = default;
};
struct Probe {
  RunId run;
  bool operator==(const Probe&) const = default;
};
struct Signal {
  RunId run;
  int signal = 0;
  bool operator==(const Signal&) const = default;
};
// Ends probes and watches, removes whatever of the run exists, running or not; answered by Removed.
struct Remove {
  RunId run;
  bool operator==(const Remove&) const = default;
};
// So that an agent that comes back knows without asking.
struct RememberReady {
  RunId run;
  bool operator==(const RememberReady&) const = default;
};
struct ReleaseNetwork {
  bool operator==(const ReleaseNetwork&) const = default;
};
struct Report {
  bool operator==(const Report&) const = default;
};
// The instance is over; nothing of it is left.
struct Forget {
  bool operator==(const Forget&) const = default;
};

}  // namespace action

using Action = std::variant<action::EnsureImage, action::ClaimNetwork, action::PrepareRoot, action::Create,
                            action::Start, action::Probe, action::Signal, action::Remove, action::RememberReady,
                            action::ReleaseNetwork, action::Report, action::Forget>;

}  // namespace updraft::node_agent
