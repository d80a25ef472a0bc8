// Route: traffic assigned to revisions that are ready, URLs, placeholder Services, and word from
// the activators that they route by it. Pure.
//
// With a rollout duration, the share of a revision that has just become the latest grows step by
// step (rollout.h); how far it has come stands in an annotation of the route's status, so that any
// controller goes on with it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "controller/reconcile/plan.h"
#include "controller/reconcile/serving_config.h"
#include "controller/reconcile/traffic.h"
#include "core/api/json.h"

namespace updraft::controller {

struct RouteInputs {
  std::shared_ptr<const Json> route = nullptr;  // not being deleted
  // All that the route's spec and status name, their configurations and latest revisions, and all
  // that are marked with the route.
  ObjectsByName configurations = {};
  ObjectsByName revisions = {};
  ObjectsByName services = {};  // core/v1, see placeholder_services.h
  // Whether activators route by rules of this fingerprint (host_rules.h).
  std::function<bool(std::string_view)> programmed = {};
};

ReconcilePlan ReconcileRoute(const RouteInputs& in, const ServingConfig& config, WallTime now);

}  // namespace updraft::controller
