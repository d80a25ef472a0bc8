// An HTTP server on one loop. Loop thread only.
//
//   Server server(loop, {}, [](Exchange& x) { return Hello(x); });
//   server.Listen("127.0.0.1:8080");
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/loop.h"
#include "core/base/result.h"
#include "core/base/unique_fd.h"
#include "core/http/exchange.h"

namespace updraft::http {

class TlsContext;

struct ServerOptions {
  // For what comes before the first request, a PROXY header and TLS's handshake each.
  Nanos opening_timeout = Seconds(10);
  Nanos head_timeout = Seconds(10);   // from a request's first byte to its head's last
  Nanos idle_timeout = Seconds(120);  // between requests, and before the first
  // Nanos::max() turns these two off: for handlers that have deadlines of their own.
  Nanos body_timeout = Seconds(60);  // longest silence inside a request's body
  Nanos write_timeout =
      Seconds(60);                   // longest time without progress while the client does not read
  uint32_t http2_streams_max = 256;  // requests at once on one HTTP/2 connection
  size_t connections_max = 100'000;  // further ones wait in the kernel's queue
  // How long idle connections stay open when the server drains: a request that is on its way then
  // is answered, and told to close, where closing at once would lose it.
  Nanos drain_idle_time = Nanos(0);
  // Several servers, each on a loop of its own, listen on the same address and share its load.
  bool reuse_port = false;
};

// How the connections of a listener begin.
struct ListenOptions {
  // Not null: they speak TLS. Must outlive the server.
  TlsContext* tls = nullptr;
  // Each begins with a PROXY header, which says whose it is; those that do not are closed.
  bool proxy_protocol = false;
};

class Listener;
class ServerConnections;

class Server {
 public:
  // `handler` must outlive the server's connections. A handler that returns without having sent a
  // response has its client answered 500.
  Server(Loop& loop, ServerOptions options, Handler handler);
  // Closes everything; handlers that wait are destroyed where they are.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // "127.0.0.1:0", "[::1]:8080" or "unix:/path" (a socket left over at the path is replaced). May
  // be called several times. Returns the port, 0 for a unix socket. kInvalidArgument: not an
  // address; kUnavailable: it cannot be bound.
  Result<uint16_t> Listen(const std::string& address, ListenOptions how = {});

  // As Listen(), at a socket that listens already.
  void ListenAt(UniqueFd socket, ListenOptions how = {});
  // For handing them over; they stay the server's.
  std::vector<int> listening_sockets() const;
  // Accepts what waits, and then nothing more; what is served goes on.
  void StopAccepting();

  // Stops accepting, closes idle connections (see drain_idle_time), lets requests in flight finish
  // and tells their clients to close. What remains at `deadline` is cut. Calls `done` once, when no
  // connection is left.
  void Drain(TimePoint deadline, std::function<void()> done);

  size_t connection_count() const;

 private:
  Loop& loop_;
  const bool reuse_port_;
  std::unique_ptr<ServerConnections> connections_;
  std::vector<std::unique_ptr<Listener>> listeners_;
};

}  // namespace updraft::http
