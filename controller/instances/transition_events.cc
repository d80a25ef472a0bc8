#include "controller/instances/transition_events.h"

#include "controller/instances/failure.h"

namespace updraft::controller {
namespace {

using Type = InstanceEvent::Type;

const v1::ContainerReport* ContainerOf(const v1::InstanceReport& report, const std::string& name) {
  for (const v1::ContainerReport& container : report.containers()) {
    if (container.name() == name) return &container;
  }
  return nullptr;
}

class Events {
 public:
  explicit Events(const Instance& instance) : instance_(instance) {}

  void Add(Type type, std::string reason, std::string message) {
    events_.push_back(
        {type, instance_.id, instance_.revision, std::move(reason), std::move(message)});
  }
  std::vector<InstanceEvent> Take() { return std::move(events_); }

 private:
  const Instance& instance_;
  std::vector<InstanceEvent> events_;
};

void OfContainers(const v1::InstanceReport& before, const v1::InstanceReport& after,
                  Events& events) {
  for (const v1::ContainerReport& container : after.containers()) {
    const v1::ContainerReport* was = ContainerOf(before, container.name());
    const bool created = !container.container_id().empty() &&
                         (was == nullptr || was->container_id() != container.container_id());
    if (created) events.Add(Type::kNormal, "Created", "Created container " + container.name());
    const bool started = container.running() && (was == nullptr || !was->running() ||
                                                 was->started_at_ns() != container.started_at_ns());
    if (started) events.Add(Type::kNormal, "Started", "Started container " + container.name());
    const bool ended = container.has_last_termination() &&
                       (was == nullptr || was->last_termination().finished_at_ns() !=
                                              container.last_termination().finished_at_ns());
    if (ended && !IsDone(container) && after.phase() != v1::INSTANCE_STOPPING && after.phase() != v1::INSTANCE_STOPPED) {
      const v1::Termination& end = container.last_termination();
      const std::string how =
          end.oom_killed() ? "was killed: out of memory (exit code " : "ended with exit code ";
      events.Add(Type::kWarning, end.oom_killed() ? "OOMKilled" : "ContainerDied",
                 "Container " + container.name() + " " + how + std::to_string(end.exit_code()) +
                     (end.oom_killed() ? ")" : ""));
    }
  }
}

// What kubelet calls each kind of failure in its events.
std::string EventReasonOf(const v1::Failure& failure) {
  if (failure.reason() == "ImagePullBackOff" || failure.reason() == "CrashLoopBackOff")
    return "BackOff";
  if (failure.reason() == "ProgressDeadlineExceeded" || failure.reason() == kEvicted)
    return failure.reason();
  return "Failed";
}

}  // namespace

std::vector<InstanceEvent> EventsOfTransition(const Instance& instance,
                                              const v1::InstanceReport& report) {
  const v1::InstanceReport& before = instance.report;
  Events events(instance);
  if (!instance.reported && instance.cold_start.placed_ns() == 0)
    return {};  // adopted: all this was told before
  if (before.cold_start().claimed_ns() == 0 && report.cold_start().claimed_ns() != 0 &&
      report.containers_size() > 0) {
    events.Add(Type::kNormal, "Pulled",
               "Container image \"" + report.containers(0).image() + "\" is present on the node");
  }
  OfContainers(before, report, events);
  const bool failure_changed =
      report.has_failure() && (before.failure().reason() != report.failure().reason() ||
                               before.failure().message() != report.failure().message());
  if (failure_changed) {
    const v1::Failure& failure = report.failure();
    const std::string message = failure.reason() == kEvicted
                                    ? failure.message()
                                    : failure.reason() + ": " + failure.message();
    events.Add(Type::kWarning, EventReasonOf(failure), message);
  }
  if (report.phase() == v1::INSTANCE_UNREADY && instance.phase == v1::INSTANCE_READY) {
    events.Add(Type::kWarning, "Unhealthy", "Readiness probe failed");
  }
  return events.Take();
}

}  // namespace updraft::controller
