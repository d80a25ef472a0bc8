#include "node-agent/instance/instance_machine.h"

#include <signal.h>

#include <set>

#include "core/base/backoff.h"
#include "core/base/check.h"

namespace updraft::node_agent {
namespace {

constexpr BackoffPolicy kImageRetry = {.first = Seconds(1), .most = std::chrono::minutes(5)};
constexpr BackoffPolicy kNetworkRetry = {.first = Millis(200), .most = Seconds(30)};
constexpr BackoffPolicy kMachineRetry = {.first = Millis(100), .most = Seconds(5)};
// From this failed pull on users read that it is being given up on for a while.
constexpr int kImageBackoffFailures = 3;
constexpr Nanos kDeathPatience = Seconds(10);   // between SIGKILL and asking the runtime what is wrong
constexpr Nanos kBeliefPatience = Seconds(10);  // for the probes of an adopted container to agree
constexpr Nanos kEvictionGrace = Seconds(1);    // as Kubernetes has it
constexpr int kStartErrorExitCode = 128;        // as Kubernetes has it

v1::Failure MakeFailure(std::string reason, std::string message) {
  v1::Failure failure;
  failure.set_reason(std::move(reason));
  failure.set_message(std::move(message));
  return failure;
}

void WakeNoLaterThan(std::optional<TimePoint>& wake, const std::optional<TimePoint>& when) {
  if (when && (!wake || *when < *wake)) wake = when;
}

Status CheckContainers(const google::protobuf::RepeatedPtrField<v1::Container>& containers,
                       std::set<std::string>& names) {
  for (const v1::Container& container : containers) {
    if (container.name().empty() || container.image().empty()) {
      return Error{Code::kInvalidArgument, "a container has no name or no image"};
    }
    if (!names.insert(container.name()).second) {
      return Error{Code::kInvalidArgument, "two containers have the name \"" + container.name() + "\""};
    }
  }
  return Ok();
}

}  // namespace

Status InstanceMachine::Check(const v1::InstanceSpec& spec) {
  if (spec.instance_id().empty()) return Error{Code::kInvalidArgument, "the instance has no id"};
  std::set<std::string> names;
  if (Status checked = CheckContainers(spec.containers(), names); !checked) return checked.error();
  if (!names.contains(spec.serving_container())) {
    return Error{Code::kInvalidArgument, "no container has the serving container's name \"" +
                                             spec.serving_container() + "\""};
  }
  if (spec.port() > 65535) return Error{Code::kInvalidArgument, "port " + std::to_string(spec.port())};
  return CheckContainers(spec.init_containers(), names);
}

InstanceMachine::InstanceMachine(std::shared_ptr<const v1::InstanceSpec> spec, RestartPolicy policy)
    : spec_(std::move(spec)), policy_(policy), cold_start_(spec_->cold_start()) {
  for (const v1::Container& container : spec_->init_containers()) {
    containers_.push_back({.spec = &container, .init = true});
  }
  for (const v1::Container& container : spec_->containers()) {
    if (container.name() == spec_->serving_container()) serving_ = static_cast<int>(containers_.size());
    containers_.push_back({.spec = &container});
  }
  UPDRAFT_CHECK(!containers_.empty());
  report_ = ReportNow();
}

void InstanceMachine::Adopt(const std::vector<AdoptedContainer>& adopted, const std::string& ip, Moment at) {
  UPDRAFT_CHECK(!begun_);
  ip_ = ip;
  network_ = ip.empty() ? Presence::kAbsent : Presence::kHere;
  bool past_init = false;
  for (const AdoptedContainer& known : adopted) {
    ContainerState& container = containers_[static_cast<size_t>(known.container)];
    past_init = past_init || !container.init;
    container.run = known.run;
    container.restarts = known.restarts;
    container.last_termination = known.last_termination;
    container.state = known.running ? RunState::kRunning : RunState::kRemoving;
    if (!known.running) container.ending = Ending::kMachine;
    container.started = at.now;
    container.started_wall = known.started;
    container.healthy = container.believed = known.running && known.was_ready;
    if (known.container == serving_ && known.running) {
      ran_ = true;
      listening_ = was_ready_ = known.was_ready;
      if (known.was_ready) believed_until_ = at.now + kBeliefPatience;
    }
  }
  for (ContainerState& container : containers_) {
    if (container.init && past_init && container.state != RunState::kRemoving) container.state = RunState::kDone;
  }
}

std::vector<Action> InstanceMachine::Handle(const Event& event, Moment at) {
  actions_.clear();
  if (over_) return {};
  std::visit([this, at](const auto& what) { On(what, at); }, event);
  Fetch();
  Advance(at);
  Settle(at);
  return std::exchange(actions_, {});
}

std::optional<TimePoint> InstanceMachine::WakeAt() const {
  std::optional<TimePoint> wake;
  if (over_) return wake;
  if (!stopping_) {
    WakeNoLaterThan(wake, network_retry_);
    WakeNoLaterThan(wake, believed_until_);
  }
  for (const ContainerState& container : containers_) {
    if (!stopping_) WakeNoLaterThan(wake, container.image_retry);
    if (container.state == RunState::kBackoff) WakeNoLaterThan(wake, container.backoff_until);
    if (container.state == RunState::kEnding) WakeNoLaterThan(wake, container.kill_at);
  }
  return wake;
}

InstanceMachine::ContainerState* InstanceMachine::Find(const RunId& run) {
  ContainerState& container = containers_[static_cast<size_t>(run.container)];
  return container.run == run.run ? &container : nullptr;
}

RunId InstanceMachine::Current(const ContainerState& container) const {
  return {static_cast<int>(&container - containers_.data()), container.run};
}

bool InstanceMachine::IsServing(const ContainerState& container) const {
  return &container == &containers_[static_cast<size_t>(serving_)];
}

// ---- events

void InstanceMachine::On(const event::Begin&, Moment) {
  begun_ = true;
  announce_ = true;
  for (ContainerState& container : containers_) {
    if (container.state == RunState::kRunning) Do(action::Probe{Current(container)});
    if (container.state == RunState::kRemoving) Do(action::Remove{Current(container)});
  }
}

void InstanceMachine::On(const event::ImageReady& event, Moment) {
  ContainerState& container = containers_[static_cast<size_t>(event.container)];
  container.image = Presence::kHere;
  container.image_failures = 0;
  container.failure.reset();
}

void InstanceMachine::On(const event::ImageFailed& event, Moment at) {
  ContainerState& container = containers_[static_cast<size_t>(event.container)];
  ++container.image_failures;
  container.image = Presence::kAbsent;
  container.image_retry = at.now + BackoffDelay(kImageRetry, container.image_failures, 1.0);
  if (event.reason == "ErrImagePull" && container.image_failures >= kImageBackoffFailures) {
    container.failure = MakeFailure("ImagePullBackOff", "Back-off pulling image \"" + container.spec->image() +
                                                            "\": " + event.message);
  } else {
    container.failure = MakeFailure(event.reason, event.message);
  }
}

void InstanceMachine::On(const event::NetworkReady& event, Moment) {
  network_ = Presence::kHere;
  network_failures_ = 0;
  network_failure_.reset();
  ip_ = event.ip;
}

void InstanceMachine::On(const event::NetworkFailed& event, Moment at) {
  network_ = Presence::kAbsent;
  ++network_failures_;
  network_retry_ = at.now + BackoffDelay(kNetworkRetry, network_failures_, 1.0);
  network_failure_ = MakeFailure("FailedCreatePodSandBox", event.message);
}

void InstanceMachine::On(const event::Created& event, Moment) {
  ContainerState* container = Find(event.run);
  if (container == nullptr || container->state != RunState::kCreating) return;
  if (IsServing(*container) && cold_start_.claimed_ns() == 0) cold_start_.set_claimed_ns(UnixNanos(event.claimed));
  container->state = RunState::kStarting;
  Do(action::Start{event.run});
}

void InstanceMachine::On(const event::CreateFailed& event, Moment at) {
  ContainerState* container = Find(event.run);
  if (container == nullptr) return;
  if (container->state != RunState::kPreparing && container->state != RunState::kCreating) return;
  Failed(*container, event.blame, event.message, at);
}

void InstanceMachine::On(const event::Started& event, Moment at) {
  ContainerState* container = Find(event.run);
  if (container != nullptr && container->state == RunState::kStarting) Runs(*container, at);
}

void InstanceMachine::On(const event::StartFailed& event, Moment at) {
  ContainerState* container = Find(event.run);
  if (container == nullptr || container->state != RunState::kStarting) return;
  Failed(*container, event.blame, event.message, at);
}

// A port that accepts proves that the program runs, and is sometimes heard of before the runtime's answer.
void InstanceMachine::On(const event::Listening& event, Moment at) {
  ContainerState* container = Find(event.run);
  if (container == nullptr || !IsServing(*container)) return;
  if (container->state == RunState::kStarting) Runs(*container, at);
  listening_ = true;
  if (cold_start_.listening_ns() == 0) cold_start_.set_listening_ns(UnixNanos(at.wall));
}

void InstanceMachine::On(const event::Health& event, Moment at) {
  ContainerState* container = Find(event.run);
  if (container == nullptr || container->state != RunState::kRunning) return;
  // What an earlier agent knew holds until the probes agree, or have had time enough.
  if (container->believed && !event.health.ready && !event.health.restart) return;
  container->believed = false;
  container->healthy = event.health.ready;
  if (!event.health.restart) return;
  container->failure = MakeFailure("Unhealthy", event.message);
  End(*container, Nanos(spec_->termination_grace_ns()), at);
}

void InstanceMachine::On(const event::Exited& event, Moment at) {
  ContainerState* container = Find(event.run);
  if (container == nullptr) return;
  const RunState state = container->state;
  if (state != RunState::kStarting && state != RunState::kRunning && state != RunState::kEnding) return;
  if (state == RunState::kStarting) {
    container->started = at.now;
    container->started_wall = at.wall;
  }
  v1::Termination termination;
  termination.set_exit_code(static_cast<int32_t>(event.exit_status));
  if (event.exit_status > 128) termination.set_signal(static_cast<int32_t>(event.exit_status - 128));
  termination.set_oom_killed(event.out_of_memory);
  termination.set_message(event.message);
  termination.set_started_at_ns(UnixNanos(container->started_wall));
  termination.set_finished_at_ns(UnixNanos(event.finished));
  container->last_termination = std::move(termination);
  if (container->init && event.exit_status == 0) {
    container->ending = Ending::kSuccess;
  } else {
    Crashed(*container, at);
  }
  Remove(*container);
}

void InstanceMachine::On(const event::Removed& event, Moment at) {
  ContainerState* container = Find(event.run);
  if (container == nullptr || container->state != RunState::kRemoving) return;
  if (stopping_) {
    container->state = RunState::kGone;
  } else if (container->ending == Ending::kSuccess) {
    container->state = RunState::kDone;
  } else {
    if (!container->backoff_until) container->backoff_until = at.now;
    container->state = RunState::kBackoff;
  }
}

void InstanceMachine::On(const event::Stop& event, Moment at) {
  grace_ = stopping_ ? std::min(grace_, event.grace) : event.grace;
  stopping_ = true;
  for (ContainerState& container : containers_) StopContainer(container, at);
}

void InstanceMachine::On(const event::Evict& event, Moment at) {
  if (stopping_) return;
  eviction_ = MakeFailure("Evicted", event.message);
  On(event::Stop{kEvictionGrace}, at);
}

void InstanceMachine::On(const event::Tick&, Moment at) {
  if (network_retry_ && at.now >= *network_retry_) network_retry_.reset();
  if (believed_until_ && at.now >= *believed_until_) {
    believed_until_.reset();
    for (ContainerState& container : containers_) {
      if (std::exchange(container.believed, false)) container.healthy = false;
    }
  }
  for (ContainerState& container : containers_) {
    if (container.image_retry && at.now >= *container.image_retry) container.image_retry.reset();
    KillOverdue(container, at);
  }
}

// ---- what events have in common

void InstanceMachine::Runs(ContainerState& container, Moment at) {
  container.state = RunState::kRunning;
  container.started = at.now;
  container.started_wall = at.wall;
  container.machine_failures = 0;
  container.failure.reset();
  if (IsServing(container)) {
    ran_ = true;
    if (cold_start_.started_ns() == 0) cold_start_.set_started_ns(UnixNanos(at.wall));
  }
  if (stopping_) {
    End(container, grace_, at);
  } else {
    Do(action::Probe{Current(container)});
  }
}

void InstanceMachine::Failed(ContainerState& container, event::Blame blame, const std::string& message, Moment at) {
  switch (blame) {
    case event::Blame::kMachine:
      ++container.machine_failures;
      container.ending = Ending::kMachine;
      container.backoff_until = at.now + BackoffDelay(kMachineRetry, container.machine_failures, 1.0);
      container.failure = MakeFailure("CreateContainerError", message);
      break;
    case event::Blame::kConfig:
      container.ending = Ending::kConfig;
      ++container.crashes;
      container.backoff_until = at.now + RestartDelay(policy_, container.crashes + 1);
      container.failure = MakeFailure("CreateContainerConfigError", message);
      break;
    case event::Blame::kContainer: {
      v1::Termination termination;
      termination.set_exit_code(kStartErrorExitCode);
      termination.set_message(message);
      termination.set_finished_at_ns(UnixNanos(at.wall));
      container.last_termination = std::move(termination);
      container.started = at.now;
      Crashed(container, at);
      container.failure = MakeFailure("RunContainerError", message);
      break;
    }
  }
  Remove(container);
}

void InstanceMachine::Crashed(ContainerState& container, Moment at) {
  if (at.now - container.started > policy_.forgiven_after) container.crashes = 0;
  ++container.crashes;
  container.ending = Ending::kCrash;
  const Nanos delay = RestartDelay(policy_, container.crashes);
  container.backoff_until = at.now + delay;
  if (delay <= Nanos(0)) return;
  const bool out_of_memory = container.last_termination && container.last_termination->oom_killed();
  const auto seconds = std::chrono::duration_cast<Seconds>(delay).count();
  container.failure = MakeFailure(out_of_memory ? "OOMKilled" : "CrashLoopBackOff",
                                  "back-off " + std::to_string(seconds) + "s restarting failed container \"" +
                                      container.spec->name() + "\"");
}

void InstanceMachine::End(ContainerState& container, Nanos grace, Moment at) {
  container.state = RunState::kEnding;
  container.healthy = false;
  container.killed = grace <= Nanos(0);
  container.kill_at = at.now + (container.killed ? kDeathPatience : grace);
  Do(action::Signal{Current(container), container.killed ? SIGKILL : SIGTERM});
}

void InstanceMachine::Remove(ContainerState& container) {
  container.state = RunState::kRemoving;
  container.healthy = container.believed = false;
  if (container.image == Presence::kHere) container.image = Presence::kAbsent;
  if (IsServing(container)) listening_ = was_ready_ = false;
  Do(action::Remove{Current(container)});
}

void InstanceMachine::StopContainer(ContainerState& container, Moment at) {
  switch (container.state) {
    case RunState::kWaiting:
    case RunState::kBackoff:
    case RunState::kDone:
      container.state = RunState::kGone;
      break;
    case RunState::kPreparing:
    case RunState::kCreating:
      Remove(container);
      break;
    case RunState::kRunning:
      End(container, grace_, at);
      break;
    case RunState::kEnding:
      if (!container.killed) container.kill_at = std::min(*container.kill_at, at.now + grace_);
      KillOverdue(container, at);
      break;
    case RunState::kStarting:  // is ended when it has started
    case RunState::kRemoving:
    case RunState::kGone:
      break;
  }
}

void InstanceMachine::KillOverdue(ContainerState& container, Moment at) {
  if (container.state != RunState::kEnding || at.now < *container.kill_at) return;
  if (container.killed) {
    if (!stopping_) Crashed(container, at);
    Remove(container);  // which asks the runtime, whatever has become of the event
    return;
  }
  container.killed = true;
  container.kill_at = at.now + kDeathPatience;
  Do(action::Signal{Current(container), SIGKILL});
}

// ---- what follows from the states

void InstanceMachine::Fetch() {
  if (!begun_ || stopping_) return;
  if (network_ == Presence::kAbsent && !network_retry_) {
    network_ = Presence::kWanted;
    Do(action::ClaimNetwork{});
  }
  for (ContainerState& container : containers_) {
    // A run that begins again asks anew: the image may have been removed meanwhile.
    const bool needed = container.state == RunState::kWaiting || container.state == RunState::kBackoff ||
                        (container.state == RunState::kRemoving && container.ending != Ending::kSuccess);
    if (container.image != Presence::kAbsent || container.image_retry || !needed) continue;
    container.image = Presence::kWanted;
    Do(action::EnsureImage{static_cast<int>(&container - containers_.data())});
  }
}

bool InstanceMachine::HasTurn(const ContainerState& container) const {
  for (const ContainerState& other : containers_) {
    if (&other == &container) return true;
    if (other.init && other.state != RunState::kDone) return false;
  }
  return true;
}

void InstanceMachine::Advance(Moment at) {
  if (!begun_ || stopping_) return;
  for (ContainerState& container : containers_) {
    if (container.state == RunState::kBackoff && at.now >= *container.backoff_until) {
      container.state = RunState::kWaiting;
      container.backoff_until.reset();
      if (container.ending == Ending::kCrash) ++container.restarts;
    }
    if (container.state == RunState::kWaiting && container.image == Presence::kHere && HasTurn(container)) {
      container.state = RunState::kPreparing;
      ++container.run;
      container.killed = false;
      container.kill_at.reset();
      Do(action::PrepareRoot{Current(container)});
    }
    if (container.state == RunState::kPreparing && network_ == Presence::kHere) {
      container.state = RunState::kCreating;
      Do(action::Create{Current(container)});
    }
  }
}

}  // namespace updraft::node_agent
