// DomainMapping: a domain name of the user's led to a Route's main host, with a certificate from a
// Secret. Pure.
//
// The first namespace that asks for a name has it. There are no ClusterDomainClaims: it is as if
// Knative made them by itself (autocreate-cluster-domain-claims).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "controller/objects/object_store.h"
#include "controller/reconcile/plan.h"
#include "controller/reconcile/serving_config.h"
#include "core/api/json.h"
#include "updraft/v1/routing.pb.h"

namespace updraft::controller {

// The Route that answers for what it refers to: a Service's has its name. nullopt: it refers to
// something that has none.
std::optional<ObjectKey> ReferredRoute(const Json& mapping);
// The Secret with its certificate. nullopt: it names none.
std::optional<ObjectKey> ReferredSecret(const Json& mapping);

struct DomainMappingInputs {
  std::shared_ptr<const Json> mapping = nullptr;  // not being deleted
  std::shared_ptr<const Json> route = nullptr;    // that it refers to
  std::shared_ptr<const Json> secret = nullptr;   // that it names
  bool claimed_elsewhere = false;  // for another namespace, or one there asked for the name before
  // Whether activators route by a message of this fingerprint.
  std::function<bool(std::string_view)> programmed = {};
};

ReconcilePlan ReconcileDomainMapping(const DomainMappingInputs& in, const ServingConfig& config,
                                     WallTime now);

// What activators are told. Without hosts while its domain is not its own, or its route was never
// assigned traffic: not to be sent. `route`, `secret`: null when there is none.
v1::Route BuildMapping(const Json& mapping, const Json* route, const Json* secret,
                       const ServingConfig& config);
// Differs when what BuildMapping gives differs.
std::string MappingFingerprint(const v1::Route& route);

}  // namespace updraft::controller
