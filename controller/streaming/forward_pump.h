// Carries connections between a client's streams and an instance's ports.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "controller/streaming/session_source.h"
#include "controller/streaming/upgrade.h"
#include "core/http/exchange.h"
#include "core/http/task.h"

namespace updraft::controller {

// Protocols of port-forward, as PlanUpgrade() takes them. Over a WebSocket go the bytes of SPDY.
extern const std::vector<std::string_view> kForwardOverSpdy;
extern const std::vector<std::string_view> kForwardOverWebSocket;

// Answers the exchange and goes on until the client is gone. Each connection is a pair of streams
// with the same "requestid": "data", and "error", which a text about a failure comes on. Exchange
// and source must outlive it.
http::Task<void> PumpForwards(http::Exchange* exchange, Upgrade upgrade, SessionSource* source,
                              std::string ns, std::string pod);

}  // namespace updraft::controller
