// What every store refuses in a transaction. Pure.
#pragma once

#include "core/store/store.h"

namespace updraft::store {

Status Validate(const Transaction& transaction);

}  // namespace updraft::store
