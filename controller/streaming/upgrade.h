// How a client asks for a transport of streams, and how it is answered: SPDY/3.1 or a WebSocket,
// and what is spoken over it. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/http/message.h"

namespace updraft::controller {

enum class Transport { kSpdy, kWebSocket };

struct Upgrade {
  Transport transport = Transport::kSpdy;
  std::string protocol = {};  // one of those that were offered
  http::Headers answer = {};  // with status 101
};

// `spdy` and `web_socket`: the protocols that are spoken over each. The first one of the client's
// list that we speak is taken. kInvalidArgument: the request is for no transport of ours, or is
// broken; kPermissionDenied: for no protocol of ours, or by a page in a browser.
Result<Upgrade> PlanUpgrade(const http::RequestHead& request,
                            std::span<const std::string_view> spdy,
                            std::span<const std::string_view> web_socket);

}  // namespace updraft::controller
