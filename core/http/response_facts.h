// What a response's fields say that matters to how it is sent. Pure.
#pragma once

#include <cstdint>
#include <optional>

#include "core/http/message.h"

namespace updraft::http {

struct ResponseFacts {
  std::optional<uint64_t> length;
  bool date = false;
  bool close = false;
};
ResponseFacts FactsOf(const Headers& headers);

// No body follows the head, whatever its fields say.
bool IsBodiless(const RequestHead& request, int status);

}  // namespace updraft::http
