// What an instance gets of an accepted request: that request again, and nothing else.
#pragma once

#include <optional>

#include "activator/proxy/upstream_head.h"
#include "core/http/message.h"
#include "core/http/parser.h"

namespace updraft::fuzz {

// Aborts and says why, when the head as it is passed on is not one strict request with the same
// meaning.
void CheckForwarded(const http::RequestHead& head, http::BodyFraming body, bool upgrade);

}  // namespace updraft::fuzz
