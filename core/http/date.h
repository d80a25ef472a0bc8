// The date as HTTP writes it.
#pragma once

#include <string_view>

#include "core/base/clock.h"

namespace updraft::http {

// "Sun, 06 Nov 1994 08:49:37 GMT", for a Date field. Valid on the calling thread until its next
// call.
std::string_view HttpDate(WallTime time);

}  // namespace updraft::http
