// From a change to the objects that have to be looked at because of it. Pure.
#pragma once

#include <vector>

#include "controller/objects/object_store.h"
#include "controller/reconcile/object_index.h"
#include "controller/reconcile/work_queue.h"

namespace updraft::controller {

// `index` as it is after the change. May name keys twice, and objects that need nothing.
std::vector<WorkKey> TriggeredBy(const Change& change, const ObjectIndex& index);

}  // namespace updraft::controller
