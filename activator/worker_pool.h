// The workers and what each of them serves with: a thread, its loop, its proxy and its listeners.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "activator/certificate_files.h"
#include "activator/proxy/proxy.h"
#include "activator/worker.h"
#include "core/base/clock.h"
#include "core/base/loop.h"
#include "core/base/result.h"
#include "core/http/inherited_listeners.h"
#include "core/http/server.h"
#include "core/http/ticket_keys.h"
#include "core/http/tls_counters.h"

namespace updraft::activator {

// Has `server`, the one with number `index` of `servers`, listen at what was inherited for the address,
// or else at a socket of its own. Errors as Server::Listen()'s.
Status ListenAt(http::Server& server, const std::string& address, const http::InheritedListeners& inherited,
                uint32_t index, uint32_t servers, http::ListenOptions how = {});

struct ListenAddress {
  std::string address = {};
  bool tls = false;
  bool proxied = false;  // connections begin with a PROXY header
};

struct WorkerPoolOptions {
  uint32_t workers = 1;  // 1 ... Revision::kWorkersMax
  DispatcherLimits limits = {};
  ProxyOptions proxy = {};
  AccessLog* access_log = nullptr;  // must outlive the pool
  // As http::ServerOptions has them.
  Nanos head_timeout = Seconds(10);
  Nanos idle_timeout = Seconds(120);
};

// One thread, that of the control loop.
class WorkerPool {
 public:
  // Starts the threads; they serve nobody yet. `events` must outlive the pool.
  WorkerPool(const WorkerPoolOptions& options, WorkerEvents& events);
  // Cuts what is still served, and waits for the threads.
  ~WorkerPool();

  std::vector<Worker*> workers() const;
  std::vector<const ProxyCounters*> counters() const;
  std::vector<const http::TlsCounters*> tls_counters() const;

  // Every worker listens at all addresses, at sockets that were inherited or at its own.
  // kUnavailable, kInvalidArgument: one cannot be had. Waits for the workers, as the next.
  Status Listen(const std::vector<ListenAddress>& addresses, const http::InheritedListeners& inherited = {});
  // The same for requests from inside, which may be for cluster-local hosts. After an error nobody
  // listens there, and it may be called again.
  Status ListenInside(const std::vector<std::string>& addresses, const http::InheritedListeners& inherited = {});
  // Those at which it listens, for handing them over; they stay the pool's.
  std::vector<int> ListeningSockets() const;

  // For the handshakes from now on; open connections go on as they are.
  void SetCertificates(std::shared_ptr<const FileCertificates> certificates);
  // For the requests from now on; null: none is logged. REQUIRES: there is an access log.
  void SetLogFormat(std::shared_ptr<const LogTemplate> format);
  void SetTicketKeys(const http::TicketKeys& keys);

  // Stops accepting and lets requests finish, until `deadline`. Runs `done` once, on a worker's
  // thread, when the last connection is gone.
  void Drain(TimePoint deadline, std::function<void()> done);

 private:
  struct Part;
  std::vector<std::unique_ptr<Part>> parts_;
};

}  // namespace updraft::activator
