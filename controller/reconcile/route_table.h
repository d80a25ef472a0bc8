// From Route objects to what activators route by. Pure.
//
// The traffic is that of the Route's status: it holds revisions that were ready, and stays as it
// was while the spec asks for one that is not.
#pragma once

#include <string>
#include <vector>

#include "controller/reconcile/serving_config.h"
#include "controller/reconcile/traffic.h"
#include "core/api/json.h"
#include "updraft/v1/routing.pb.h"

namespace updraft::controller {

// Requests in clear text are to be redirected: the object's annotation says so or, where it has none,
// config-network.
bool IsHttpsOnly(const Json& object, const ServingConfig& config);

void AddSplits(const std::string& ns, const std::vector<RevisionShare>& shares, v1::HostRule& host);

// The route's message: for its main host and for each tag the host rules of the external name
// (name.namespace.domain, unless it is cluster-local) and the internal ones (name.ns, name.ns.svc,
// name.ns.svc.cluster.local). Without hosts while its traffic was never assigned: not to be sent.
v1::Route BuildRoute(const Json& route, const ServingConfig& config);

// Differs when what BuildRoute gives differs; for the RouteObserver.
std::string RouteFingerprint(const v1::Route& route);

}  // namespace updraft::controller
