// The way of a request's body to the instance, beside that of the response. Loop thread only.
#pragma once

#include <optional>

#include "activator/proxy/traffic_meter.h"
#include "core/base/result.h"
#include "core/http/client_exchange.h"
#include "core/http/exchange.h"
#include "core/http/sync.h"
#include "core/http/task.h"

namespace updraft::activator {

class Upload {
 public:
  // All must outlive the upload.
  Upload(http::Exchange& exchange, http::ClientExchange& upstream, TrafficMeter& traffic);

  // Sends what is left of the body, in a task of its own. Call at most once.
  void Start();
  // The same for a tunnel: bytes as they come, until the client closes its side. `on_activity` runs
  // for each piece.
  void StartTunnel(std::function<void()> on_activity);
  bool started() const { return started_; }
  bool running() const { return running_; }
  // The client's body could not be read.
  void Fail(const Error& error);
  // Ends it if it still runs, and waits for that. Both sides go on as if nothing had been.
  http::Task<void> Stop();
  http::Task<void> WaitUntilDone();

  // The client did not deliver its body: the exchange with the instance was interrupted.
  const std::optional<Error>& client_error() const { return client_error_; }

 private:
  http::Task<void> SendBody();
  http::Task<bool> PassBody();
  http::Task<void> SendTunnel(std::function<void()> on_activity);

  http::Exchange& exchange_;
  http::ClientExchange& upstream_;
  TrafficMeter& traffic_;
  http::Signal done_;
  bool started_ = false;
  bool running_ = false;
  std::optional<Error> client_error_;
  http::Scope scope_;
};

}  // namespace updraft::activator
