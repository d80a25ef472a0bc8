// The request path of one worker: from a client's request to an instance and back. Loop thread
// only.
#pragma once

#include "activator/access_log/access_log.h"
#include "activator/proxy/http2_upstreams.h"
#include "activator/proxy/proxy_counters.h"
#include "activator/proxy/request_id.h"
#include "activator/proxy/upstream_pool.h"
#include "activator/worker.h"
#include "core/http/exchange.h"

namespace updraft::activator {

struct ProxyOptions {
  Nanos connect_timeout = Seconds(2);
  int instances_tried_max = 5;  // of those that cannot be connected to
  bool https_only = false;      // for all hosts but cluster-local ones, not only where a route says so
  uint16_t https_port = 443;    // as users reach it
  UpstreamPoolLimits pool;
  Http2UpstreamLimits http2;
};

// By which door a request came. Cluster-local hosts are there for those alone who are inside.
enum class Entrance { kPublic, kInside };

class Proxy {
 public:
  // `worker` and `access_log`, if there is one, must outlive the proxy, and the proxy every
  // request.
  Proxy(Worker& worker, ProxyOptions options, AccessLogSink* access_log = nullptr)
      : worker_(worker),
        options_(options),
        access_log_(access_log),
        pool_(worker.loop(), options.pool),
        http2_upstreams_(worker.loop(), options.http2) {}
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;

  // For http::Server. The server's own limits on bodies are to be off: a request's are its
  // revision's.
  http::Handler Handler(Entrance entrance = Entrance::kPublic);

  // Any thread.
  const ProxyCounters& counters() const { return counters_; }

  // For requests.
  Worker& worker() { return worker_; }
  const ProxyOptions& options() const { return options_; }
  AccessLogSink* access_log() { return access_log_; }  // null: requests are not logged
  UpstreamPool& pool() { return pool_; }
  Http2Upstreams& http2_upstreams() { return http2_upstreams_; }
  RequestIds& ids() { return ids_; }
  ProxyCounters& counters() { return counters_; }

 private:
  Worker& worker_;
  const ProxyOptions options_;
  AccessLogSink* const access_log_;
  UpstreamPool pool_;
  Http2Upstreams http2_upstreams_;
  RequestIds ids_;
  ProxyCounters counters_;
};

}  // namespace updraft::activator
