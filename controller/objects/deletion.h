// What deleting an object means: finalizers, propagation to dependents, namespaces. Pure. The API
// and the reconcilers delete by it, so that both mean the same.
#pragma once

#include <optional>

#include "core/api/json.h"
#include "core/base/clock.h"

namespace updraft::controller {

enum class Propagation {
  kBackground,  // the object goes at once, its dependents afterwards
  kForeground,  // its dependents go first
  kOrphan,      // its dependents stay and lose the reference to it
};

// The state that a deletion leaves the object in until its finalizers are gone; nullopt: it is
// removed at once. Deleting again may change the propagation.
std::optional<Json> MarkDeleted(const Json& object, Propagation propagation, WallTime now);

// Marked as deleted, and nothing holds it any more: whoever writes this state removes the object
// instead.
bool IsFinished(const Json& object);

}  // namespace updraft::controller
