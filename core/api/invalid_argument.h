// The error that says what is wrong with something a user wrote.
#pragma once

#include <string>
#include <utility>

#include "core/base/result.h"

namespace updraft::api {

inline Error InvalidArgument(std::string why) { return {Code::kInvalidArgument, std::move(why)}; }

}  // namespace updraft::api
