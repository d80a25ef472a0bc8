// Why an instance that should run does not. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "updraft/v1/node.pb.h"

namespace updraft::controller {

inline constexpr std::string_view kUnschedulable = "Unschedulable";
inline constexpr std::string_view kConfigError = "CreateContainerConfigError";
inline constexpr std::string_view kUnhealthy = "Unhealthy";  // its liveness probe has it restarted

inline constexpr std::string_view kEvicted =
    "Evicted";  // it took more than it may have: no fault of its revision's

// ExitCode<N> or OOMKilled with the termination message for a container that ended and does not
// run, else the node's own words. nullopt: the report tells of no failure.
std::optional<v1::Failure> FailureOfReport(const v1::InstanceReport& report);

// An init container that has done what it was there for.
bool IsDone(const v1::ContainerReport& container);

}  // namespace updraft::controller
