// Connections to instances that wait for their next request, and requests that wait for such a
// connection. One per worker; loop thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/base/clock.h"
#include "core/base/loop.h"
#include "core/base/ring.h"
#include "core/base/timer_wheel.h"
#include "core/http/client_connection.h"
#include "core/http/gate.h"

namespace updraft::activator {

class UpstreamPool;
struct UpstreamPlace;

// A connection to an instance. While it is idle it leaves the pool by itself, as soon as the
// instance closes it and at the end of its time.
class UpstreamConnection final : private http::HangupObserver, private Timer {
 public:
  // Begins to connect; http().FinishConnecting() comes next. kUnavailable: refused at once.
  static Result<std::unique_ptr<UpstreamConnection>> Start(Loop& loop,
                                                           const std::string& host_port);
  UpstreamConnection(Loop& loop, UniqueFd socket);
  ~UpstreamConnection() override;

  http::ClientConnection& http() { return http_; }

 private:
  friend class UpstreamPool;

  void OnHangup() override;
  void OnTimer() override;

  http::ClientConnection http_;
  UpstreamPool* pool_ = nullptr;    // while idle
  UpstreamPlace* place_ = nullptr;  // its instance's, from the first time it was given
};

// The wait of a request that can have no connection of its own, because there are no descriptors:
// for one that another request to the instance is done with. First come, first served.
class UpstreamWait final : private RingLink {
 public:
  UpstreamWait(UpstreamPool& pool, const std::string& instance_id);
  // Leaves the line. What came and was not used goes to the next one.
  ~UpstreamWait();

  // False: it has ended, by a connection, because one was closed, or by GiveUp().
  bool pending() const { return linked(); }
  // Opens when it has ended.
  http::Gate& gate() { return gate_; }
  void GiveUp() { End(); }

  // Null: none came.
  std::unique_ptr<UpstreamConnection> TakeConnection() { return std::move(connection_); }
  // A connection is opened in place of the one that was closed.
  void Use() { freed_ = false; }
  // While this one waited somebody was given a connection. REQUIRES: pending().
  bool moved_on() const;

 private:
  friend class UpstreamPool;

  void End() {
    Unlink();
    gate_.Open();
  }

  UpstreamPool& pool_;
  const std::string instance_id_;
  http::Gate gate_;
  UpstreamPlace& place_;  // REQUIRES: pending()
  const uint64_t handed_before_;
  std::unique_ptr<UpstreamConnection> connection_;
  bool freed_ = false;  // one was closed, and this was told first
};

// What the pool has for one instance.
struct UpstreamPlace {
  std::vector<std::unique_ptr<UpstreamConnection>> idle;
  size_t taken = 0;  // connections that were given once and are in use
  RingLink waiting;
  uint64_t handed = 0;  // connections, to those who wait

  bool empty() const { return idle.empty() && taken == 0 && !waiting.linked(); }
};

inline bool UpstreamWait::moved_on() const { return place_.handed != handed_before_; }

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

  // The one used last: the others may grow old. Null: none is idle. Who waits was given all.
  std::unique_ptr<UpstreamConnection> Take(const std::string& instance_id);
  // REQUIRES: connection->http().reusable().
  void Give(const std::string& instance_id, std::unique_ptr<UpstreamConnection> connection);
  // A connection to it was closed: who waits first may open one in its place.
  void Closed(const std::string& instance_id);

  size_t idle_count() const { return idle_count_; }

 private:
  friend class UpstreamConnection;
  friend class UpstreamWait;

  UpstreamPlace& PlaceOf(const std::string& instance_id);
  void Drop(UpstreamConnection* connection);
  void ForgetEmpty();

  Loop& loop_;
  const UpstreamPoolLimits limits_;
  std::unordered_map<std::string, UpstreamPlace> instances_;  // by id
  size_t idle_count_ = 0;
  size_t forget_at_ = 64;  // instances, known and gone
};

}  // namespace updraft::activator
