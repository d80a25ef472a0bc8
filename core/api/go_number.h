// Numbers as Go's strconv reads them, which takes and refuses other texts than C++ does. Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace updraft::api {

enum class GoNumber { kRead, kBadSyntax, kOutOfRange };

// ParseInt(text, 10, bits). Of a text that is both too large and no number, what comes first counts.
GoNumber ParseGoInt(std::string_view text, int bits, int64_t& value);

// ParseFloat(text, 64): "1e3", "1_000", "0x1p-2", "inf" and "nan" are numbers.
GoNumber ParseGoFloat(std::string_view text, double& value);

}  // namespace updraft::api
