// What the states of an instance's containers amount to: its phase, and the report that the controller gets.
#include <algorithm>

#include "node-agent/instance/instance_machine.h"
#include "node-agent/instance/run_record.h"

namespace updraft::node_agent {
namespace {

bool HasProcess(RunState state) { return state == RunState::kRunning || state == RunState::kEnding; }

}  // namespace

bool InstanceMachine::AllReady() const {
  if (spec_->port() != 0 && !listening_) return false;
  return std::ranges::all_of(containers_, [](const ContainerState& container) {
    if (container.init) return container.state == RunState::kDone;
    return container.state == RunState::kRunning && container.healthy;
  });
}

v1::InstancePhase InstanceMachine::PhaseNow() const {
  if (stopping_) {
    const bool gone = std::ranges::all_of(
        containers_, [](const ContainerState& container) { return container.state == RunState::kGone; });
    if (!gone) return v1::INSTANCE_STOPPING;
    return eviction_ ? v1::INSTANCE_FAILED : v1::INSTANCE_STOPPED;
  }
  if (AllReady()) return v1::INSTANCE_READY;
  for (const ContainerState& container : containers_) {
    const bool between_runs = container.state == RunState::kBackoff || container.state == RunState::kRemoving;
    if (between_runs && container.ending == Ending::kCrash && container.crashes > 1) return v1::INSTANCE_BACKOFF;
  }
  const RunState serving = containers_[static_cast<size_t>(serving_)].state;
  if (HasProcess(serving)) return was_ready_ ? v1::INSTANCE_UNREADY : v1::INSTANCE_STARTING;
  return ran_ ? v1::INSTANCE_STARTING : v1::INSTANCE_PENDING;
}

std::optional<v1::Failure> InstanceMachine::FailureNow() const {
  if (eviction_) return eviction_;
  if (phase_ == v1::INSTANCE_READY || stopping_) return std::nullopt;
  for (const ContainerState& container : containers_) {
    if (container.failure) return container.failure;
  }
  return network_failure_;
}

v1::ContainerReport InstanceMachine::ReportOf(const ContainerState& container) const {
  v1::ContainerReport report;
  report.set_name(container.spec->name());
  report.set_running(HasProcess(container.state));
  // That it has ended as it should is told at once, not only when nothing is left of it.
  const bool done = container.state == RunState::kDone ||
                    (container.state == RunState::kRemoving && container.ending == Ending::kSuccess);
  report.set_ready(container.init ? done
                                  : container.state == RunState::kRunning && container.healthy &&
                                        (!IsServing(container) || spec_->port() == 0 || listening_));
  report.set_restart_count(container.restarts);
  report.set_image(container.spec->image());
  report.set_image_digest(container.spec->image_digest());
  if (container.run >= 0) {
    report.set_container_id(ContainerIdOf(spec_->instance_id(), Current(container)));
  }
  if (HasProcess(container.state)) report.set_started_at_ns(UnixNanos(container.started_wall));
  if (container.last_termination) *report.mutable_last_termination() = *container.last_termination;
  return report;
}

v1::InstanceReport InstanceMachine::ReportNow() const {
  v1::InstanceReport report;
  report.set_instance_id(spec_->instance_id());
  report.set_phase(phase_);
  report.set_ip(ip_);
  report.set_port(spec_->port());
  for (const ContainerState& container : containers_) *report.add_containers() = ReportOf(container);
  if (const auto failure = FailureNow()) *report.mutable_failure() = *failure;
  *report.mutable_cold_start() = cold_start_;
  report.set_revision(spec_->namespace_() + "/" + spec_->revision());
  const ContainerState& serving = containers_[static_cast<size_t>(serving_)];
  if (HasProcess(serving.state)) report.set_started_at_ns(UnixNanos(serving.started_wall));
  report.set_sequence(report_.sequence());
  return report;
}

void InstanceMachine::Settle(Moment at) {
  phase_ = PhaseNow();
  if (phase_ == v1::INSTANCE_READY && !was_ready_) {
    was_ready_ = true;
    ContainerState& serving = containers_[static_cast<size_t>(serving_)];
    if (cold_start_.ready_ns() == 0) cold_start_.set_ready_ns(UnixNanos(at.wall));
    serving.failure.reset();
    Do(action::RememberReady{Current(serving)});
  }
  if (phase_ == v1::INSTANCE_STOPPED || phase_ == v1::INSTANCE_FAILED) {
    over_ = true;
    if (network_ != Presence::kAbsent) Do(action::ReleaseNetwork{});
    Do(action::Forget{});
  }
  v1::InstanceReport report = ReportNow();
  if (!std::exchange(announce_, false) && report.SerializeAsString() == report_.SerializeAsString()) return;
  report_ = std::move(report);
  report_.set_sequence(report_.sequence() + 1);
  actions_.insert(actions_.begin(), action::Report{});
}

}  // namespace updraft::node_agent
