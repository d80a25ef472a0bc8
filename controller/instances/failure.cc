#include "controller/instances/failure.h"

#include <string>

namespace updraft::controller {
namespace {

bool IsOver(v1::InstancePhase phase) {
  return phase == v1::INSTANCE_STOPPING || phase == v1::INSTANCE_STOPPED ||
         phase == v1::INSTANCE_READY;
}

}  // namespace

std::optional<v1::Failure> FailureOfReport(const v1::InstanceReport& report) {
  if (IsOver(report.phase())) return std::nullopt;
  for (const v1::ContainerReport& container : report.containers()) {
    if (container.running() || !container.has_last_termination() || IsDone(container)) continue;
    const v1::Termination& end = container.last_termination();
    v1::Failure failure;
    failure.set_reason(end.oom_killed() ? "OOMKilled"
                                        : "ExitCode" + std::to_string(end.exit_code()));
    failure.set_message(end.message());
    return failure;
  }
  if (report.has_failure() && !report.failure().reason().empty()) return report.failure();
  return std::nullopt;
}

bool IsDone(const v1::ContainerReport& container) {
  return !container.running() && container.ready();
}

}  // namespace updraft::controller
