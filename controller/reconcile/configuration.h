// Configuration: one Revision per generation, and which of them are the latest created and the
// latest ready. Pure.
#pragma once

#include <memory>
#include <vector>

#include "controller/reconcile/plan.h"
#include "controller/reconcile/serving_config.h"
#include "core/api/json.h"

namespace updraft::controller {

struct ConfigurationInputs {
  std::shared_ptr<const Json> configuration = nullptr;      // not being deleted
  std::vector<std::shared_ptr<const Json>> revisions = {};  // those that it controls
  // The one named as this generation's revision is to be, whoever controls it.
  std::shared_ptr<const Json> named_revision = nullptr;
};

ReconcilePlan ReconcileConfiguration(const ConfigurationInputs& in,
                                     const RevisionRetention& retention, WallTime now);

}  // namespace updraft::controller
