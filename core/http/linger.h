// The orderly end of a connection whose peer may still send. Loop thread only.
#pragma once

#include "core/base/clock.h"
#include "core/http/input.h"
#include "core/http/task.h"

namespace updraft::http {

// Says that no more will be written, and throws away what still comes, until the peer closes or
// `patience` is over: closed at once, the peer would get a reset in place of what was written last.
Task<void> Linger(Input& input, Nanos patience);

}  // namespace updraft::http
