#include "activator/queue/waiter.h"

#include "core/base/check.h"

namespace updraft::activator {

Waiter::~Waiter() { UPDRAFT_CHECK(state_ == State::kIdle); }

}  // namespace updraft::activator
