// Which revisions that no route refers to are deleted: config-gc. Pure.
#pragma once

#include <memory>
#include <vector>

#include "controller/reconcile/plan.h"
#include "controller/reconcile/serving_config.h"
#include "core/api/json.h"

namespace updraft::controller {

// `revisions`: all of the configuration's. Adds the deletions to `plan`, and when to look again.
void PlanRevisionGc(const Json& configuration,
                    const std::vector<std::shared_ptr<const Json>>& revisions,
                    const RevisionRetention& retention, WallTime now, ReconcilePlan& plan);

}  // namespace updraft::controller
