// The core/v1 Services that stand for a route's hosts: clients read them, and they keep names from
// being taken twice. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "controller/reconcile/plan.h"
#include "controller/reconcile/serving_config.h"
#include "controller/reconcile/traffic.h"
#include "core/api/json.h"

namespace updraft::controller {

// One per tag ("" for the main host). `services`: those that the route controls, and those that
// have one of the names that it needs. Gives the name of a Service that somebody else owns, if
// there is one; then nothing is planned.
std::optional<std::string> PlanPlaceholderServices(const Json& route,
                                                   const std::vector<std::string>& tags,
                                                   const ObjectsByName& services,
                                                   const ServingConfig& config,
                                                   ReconcilePlan& plan);

}  // namespace updraft::controller
