// The store that a flag names.
#pragma once

#include <memory>
#include <string>

#include "core/base/clock.h"
#include "core/store/store.h"

namespace updraft::store {

// `spec` is "sqlite:PATH" or "memory:". A memory store's revisions start at the wall clock's
// microseconds, which no earlier one can have reached. kInvalidArgument: another spec.
Result<std::unique_ptr<Store>> OpenStore(const std::string& spec, const Clock& clock, Post post);

// A store for soft state whose revisions start as said above.
std::unique_ptr<Store> MakeSoftStore(const Clock& clock, Post post);

}  // namespace updraft::store
