// Service: a Configuration and a Route of its name, and a status that sums theirs up. Pure.
#pragma once

#include <memory>

#include "controller/reconcile/plan.h"
#include "core/api/json.h"

namespace updraft::controller {

struct ServiceInputs {
  std::shared_ptr<const Json> service = nullptr;        // not being deleted
  std::shared_ptr<const Json> configuration = nullptr;  // of the service's name, whoever owns it
  std::shared_ptr<const Json> route = nullptr;          // likewise
  std::shared_ptr<const Json> named_revision =
      nullptr;  // of spec.template.metadata.name, if that is set
};

ReconcilePlan ReconcileService(const ServiceInputs& in, WallTime now);

}  // namespace updraft::controller
