// Connections to instances that speak HTTP/2, each shared by many requests. One per worker; loop
// thread only.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "activator/queue/instance.h"
#include "core/base/clock.h"
#include "core/base/loop.h"
#include "core/base/timer_wheel.h"
#include "core/http/http2_client.h"

namespace updraft::activator {

struct Http2UpstreamLimits {
  Nanos connect_timeout = Seconds(2);
  size_t requests_per_connection_max = 100;  // more open a further one
  Nanos idle_time_max = Seconds(60);
};

class Http2Upstreams final : private Timer {
 public:
  Http2Upstreams(Loop& loop, Http2UpstreamLimits limits)
      : Timer(loop.timers()), loop_(loop), limits_(limits) {}

  // One that a further request may begin on, be it still connecting; null: none.
  std::shared_ptr<http::Http2ClientConnection> Find(const std::string& instance_id);
  // A new one. kUnavailable: refused at once.
  Result<std::shared_ptr<http::Http2ClientConnection>> Connect(const Instance& instance);

 private:
  using Connections = std::vector<std::shared_ptr<http::Http2ClientConnection>>;

  // Lets go of what is over or has been idle for long.
  void OnTimer() override;

  Loop& loop_;
  const Http2UpstreamLimits limits_;
  std::unordered_map<std::string, Connections> connections_;  // by instance id
};

}  // namespace updraft::activator
