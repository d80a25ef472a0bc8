// Marks on Configurations and Revisions which routes lead to them: what keeps a revision reachable,
// and from being collected. Pure.
#pragma once

#include <string>
#include <string_view>

#include "controller/reconcile/plan.h"
#include "controller/reconcile/traffic.h"
#include "core/api/json.h"

namespace updraft::controller {

// `route` as it stands after its pass. The maps hold all that it names and all that are marked with
// it. Old marks go only once the route is settled, so that a revision keeps its instances until its
// successor has the traffic.
void PlanRoutingState(const Json& route, const ObjectsByName& configurations,
                      const ObjectsByName& revisions, WallTime now, ReconcilePlan& plan);

// The route is gone: its marks go from all that have them.
void PlanRoutingStateWithout(std::string_view route_name, const ObjectsByName& configurations,
                             const ObjectsByName& revisions, WallTime now, ReconcilePlan& plan);

}  // namespace updraft::controller
