// DomainMapping: a domain name of the user's led to a Route's main host, with a certificate from a
// Secret. Pure.
//
// A name is its namespace's by a ClusterDomainClaim of that name. With autocreate-cluster-domain-claims
// the first namespace that asks for a name gets one, which goes with its mapping; otherwise whoever
// runs the platform makes them.
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
  std::shared_ptr<const Json> claim = nullptr;    // to its name, whoever has it
  bool asked_elsewhere = false;  // one in another namespace asked for the name before
  // Whether activators route by a message of this fingerprint.
  std::function<bool(std::string_view)> programmed = {};
};

ReconcilePlan ReconcileDomainMapping(const DomainMappingInputs& in, const ServingConfig& config,
                                     WallTime now);

// The mapping of that key is gone: so is the claim that was made for it.
ReconcilePlan WithoutDomainMapping(const ObjectKey& mapping,
                                   const std::shared_ptr<const Json>& claim);
ObjectKey ClaimOf(std::string_view domain);

// What activators are told. Without hosts while its domain is not its own, or its route was never
// assigned traffic: not to be sent. `route`, `secret`: null when there is none.
v1::Route BuildMapping(const Json& mapping, const Json* route, const Json* secret,
                       const ServingConfig& config);
// Differs when what BuildMapping gives differs.
std::string MappingFingerprint(const v1::Route& route);

}  // namespace updraft::controller
