#include "autoscaler/convert.h"

namespace updraft::autoscaler {
namespace {

v1::ActiveState ToProto(Active active) {
  switch (active) {
    case Active::kActivating:
      return v1::ACTIVE_UNKNOWN;
    case Active::kTrue:
      return v1::ACTIVE_TRUE;
    case Active::kFalse:
      return v1::ACTIVE_FALSE;
    case Active::kTimedOut:
      return v1::ACTIVE_TIMED_OUT;
  }
  return v1::ACTIVE_UNKNOWN;
}

std::vector<InstanceUsage> UsageOf(const v1::ScaleTarget& target) {
  std::vector<InstanceUsage> usage;
  usage.reserve(static_cast<size_t>(target.usage_size()));
  for (const v1::InstanceUsage& one : target.usage()) usage.push_back({one.cpu_millis(), one.memory_bytes()});
  return usage;
}

}  // namespace

Target FromProto(const v1::ScaleTarget& target) {
  constexpr Nanos kProgressDeadlineDefault = Seconds(600);
  return {.uid = target.revision_uid(),
          .annotations = {target.annotations().begin(), target.annotations().end()},
          .container_concurrency = static_cast<int>(target.container_concurrency()),
          .reachable = target.reachability() != v1::UNREACHABLE,
          .ready = static_cast<int>(target.ready()),
          .starting = static_cast<int>(target.starting()),
          .failed = static_cast<int>(target.failed()),
          .initialized = target.initialized(),
          .instances_known = target.instances_known(),
          .progress_deadline = target.progress_deadline_ns() > 0 ? Nanos(target.progress_deadline_ns())
                                                                 : kProgressDeadlineDefault,
          .service = target.service(),
          .configuration = target.configuration(),
          .usage = UsageOf(target),
          .cpu_request_millis = target.cpu_request_millis()};
}

std::vector<LoadLine> FromProto(const v1::LoadReport& report) {
  std::vector<LoadLine> lines;
  lines.reserve(static_cast<size_t>(report.revisions_size()));
  for (const v1::RevisionLoad& load : report.revisions()) {
    lines.push_back({.revision = load.revision(),
                     .figures = {.request_seconds = load.request_seconds(),
                                 .request_count = load.request_count(),
                                 .running = load.running(),
                                 .waiting = load.waiting(),
                                 .read_at = Nanos(load.at_ns())},
                     .first_queued_ns = load.first_queued_ns()});
  }
  return lines;
}

v1::Decision ToProto(const RevisionDecision& decision, WallTime decided) {
  v1::Decision message;
  message.set_revision(decision.revision);
  message.set_revision_uid(decision.uid);
  message.set_desired(decision.decision.desired.value_or(-1));
  message.set_active(ToProto(decision.decision.active));
  message.set_excess_burst_capacity(decision.decision.excess_burst_capacity);
  message.set_panic(decision.decision.panic);
  message.set_initialized(decision.decision.initialized);
  message.set_queued_ns(decision.queued_ns);
  message.set_decided_ns(UnixNanos(decided));
  return message;
}

}  // namespace updraft::autoscaler
