// What the fleet's state means to those who follow it: activators, the autoscaler, the statuses
// that users read. Pure.
#pragma once

#include <optional>

#include "controller/instances/fleet.h"
#include "controller/reconcile/observed.h"

namespace updraft::controller {

InstanceCounts CountsOf(const Fleet& fleet, const RevisionKey& key);

// To activators: where requests may go, and where those that are under way may end. A revision that
// was removed has endpoints until its last instance is gone.
v1::Endpoints EndpointsOf(const Fleet& fleet, const RevisionKey& key, TimePoint now);

// nullopt: activators need not know the revision (any more).
std::optional<v1::Revision> RoutedRevisionOf(const Fleet& fleet, const RevisionKey& key);

// nullopt: the autoscaler has nothing to decide.
std::optional<v1::ScaleTarget> ScaleTargetOf(const Fleet& fleet, const RevisionKey& key,
                                             TimePoint now);

TrialFacts TrialFactsOf(const Fleet& fleet, const RevisionKey& key);

// Why the revision cannot serve now and will not in the next seconds: repeated crashes, an image
// that cannot be had, a missing ConfigMap. nullopt: it serves, or there is hope.
std::optional<v1::Failure> FailureOf(const Fleet& fleet, const RevisionKey& key);

// For the reconcilers.
RevisionObserved ObservedOf(const Fleet& fleet, const RevisionKey& key, TimePoint now);

}  // namespace updraft::controller
