// Carries a process's streams between it and a client that has asked for them.
#pragma once

#include <functional>
#include <memory>

#include "controller/streaming/client_channels.h"
#include "controller/streaming/session_source.h"
#include "controller/streaming/upgrade.h"
#include "core/http/exchange.h"
#include "core/http/task.h"

namespace updraft::controller {

// Makes the process once the client is ready for it.
using StartExec = std::function<Result<std::unique_ptr<ExecSession>>()>;

// Protocols of exec and attach, as PlanUpgrade() takes them.
extern const std::vector<std::string_view> kExecOverSpdy;
extern const std::vector<std::string_view> kExecOverWebSocket;

// Answers the exchange and goes on until the process has ended and the client has been told, or the
// client is gone: then the process is ended. The exchange must outlive it.
http::Task<void> PumpExec(http::Exchange* exchange, Upgrade upgrade, WantedStreams wanted,
                          StartExec start);

}  // namespace updraft::controller
