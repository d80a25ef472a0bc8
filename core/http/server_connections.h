// The open connections of a server: what each runs, and how all end. Loop thread only.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/base/loop.h"
#include "core/base/ring.h"
#include "core/base/timer_wheel.h"
#include "core/http/exchange.h"
#include "core/http/input.h"
#include "core/http/server.h"
#include "core/http/tls_stream.h"

namespace updraft::http {

// What a connection's protocol needs from its server.
struct ServerContext {
  Loop& loop;
  const ServerOptions options;
  const Handler handler;
  bool draining = false;  // responses that begin now are the last of their connections
  bool closing = false;   // nor may a connection wait for another request
};

// A connection as its server sees it, whatever version of HTTP it speaks.
class ServerConnection : public RingLink {
 public:
  // The server drains: what is in flight is the last. Resumes nothing inside the call, as the next.
  virtual void Drain() = 0;
  // Nor does it wait any more for what may be on its way: end now when idle.
  virtual void CloseIdle() = 0;

 protected:
  ~ServerConnection() = default;
};

class ServerConnections final : private Timer, private Deferred {
 public:
  ServerConnections(Loop& loop, const ServerOptions& options, Handler handler);
  ~ServerConnections() override;

  void Begin(UniqueFd socket, std::string peer, ListenOptions how);
  bool WantsMore() const { return count_ < context_.options.connections_max; }
  void Drain(TimePoint deadline, std::function<void()> done);
  size_t count() const { return count_; }

 private:
  Task<void> Serve(UniqueFd socket, ConnectionInfo info, bool proxied);
  Task<void> ServeTls(UniqueFd socket, ConnectionInfo info, bool proxied, TlsContext& tls);
  Task<bool> ReadProxyHeader(Stream& stream, ConnectionInfo& info);
  Task<bool> Handshake(TlsStream& stream, const ConnectionInfo& info);
  void OnEnd();
  // True: the client speaks HTTP/2.
  Task<bool> ServeHttp1(Input& input, const ConnectionInfo& info);
  Task<void> ServeHttp2(Input& input, const ConnectionInfo& info, std::string_view preface);
  void CloseIdle();
  void OnTimer() override;
  void Run() override;

  ServerContext context_;
  updraft::RingLink open_;
  size_t count_ = 0;
  std::function<void()> drained_;
  TimePoint drain_deadline_;
  std::unique_ptr<Scope> scope_;
};

}  // namespace updraft::http
