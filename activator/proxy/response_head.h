// The head of an instance's response as the client gets it. Pure.
#pragma once

#include <string_view>

#include "core/http/message.h"

namespace updraft::activator {

// Takes out what is about the instance's connection. `server_timing`: added as a field of that name
// unless empty.
void CleanResponseHead(http::ResponseHead& head, std::string_view server_timing);

}  // namespace updraft::activator
