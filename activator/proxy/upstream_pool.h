// Connections to instances that wait for their next request. One per worker; loop thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/base/clock.h"
#include "core/base/loop.h"
#include "core/base/timer_wheel.h"
#include "core/http/client_connection.h"

namespace updraft::activator {

class UpstreamPool;

// A connection to an instance. While it is idle it leaves the pool by itself, as soon as the
// instance closes it and at the end of its time.
class UpstreamConnection final : private http::HangupObserver, private Timer {
 public:
  // Begins to connect; http().FinishConnecting() comes next. kUnavailable: refused at once.
  static Result<std::unique_ptr<UpstreamConnection>> Start(Loop& loop,
                                                           const std::string& host_port);
  UpstreamConnection(Loop& loop, UniqueFd socket);

  http::ClientConnection& http() { return http_; }

 private:
  friend class UpstreamPool;

  void OnHangup() override;
  void OnTimer() override;

  http::ClientConnection http_;
  UpstreamPool* pool_ = nullptr;      // while idle
  const std::string* key_ = nullptr;  // its instance's, in the pool
};

struct UpstreamPoolLimits {
  size_t idle_per_instance_max = 1024;
  // Shorter than most servers keep an idle connection (5 s): a request must not meet a closing one.
  Nanos idle_time_max = Seconds(4);
};

class UpstreamPool {
 public:
  UpstreamPool(Loop& loop, UpstreamPoolLimits limits) : loop_(loop), limits_(limits) {}
  UpstreamPool(const UpstreamPool&) = delete;
  UpstreamPool& operator=(const UpstreamPool&) = delete;

  // The one used last: the others may grow old. Null: none is idle.
  std::unique_ptr<UpstreamConnection> Take(const std::string& instance_id);
  // REQUIRES: connection->http().reusable().
  void Give(const std::string& instance_id, std::unique_ptr<UpstreamConnection> connection);

  size_t idle_count() const { return idle_count_; }

 private:
  friend class UpstreamConnection;
  using Idle = std::vector<std::unique_ptr<UpstreamConnection>>;

  void Drop(UpstreamConnection* connection);
  void ForgetEmpty();

  Loop& loop_;
  const UpstreamPoolLimits limits_;
  std::unordered_map<std::string, Idle> idle_;  // by instance id
  size_t idle_count_ = 0;
  size_t forget_at_ = 64;  // instances, known and gone
};

}  // namespace updraft::activator
