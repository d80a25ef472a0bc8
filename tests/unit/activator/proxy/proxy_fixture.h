// A worker with its proxy and a server in front, on a thread of its own, fed by the test.
#pragma once

#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "activator/proxy/proxy.h"
#include "activator/routing/routing_state.h"
#include "activator/worker.h"
#include "core/http/server.h"
#include "core/http/sync.h"
#include "tests/unit/core/http/raw_backend.h"
#include "tests/unit/core/http/raw_client.h"
#include "tests/unit/core/http/test_server.h"

namespace updraft::activator {

// Keeps what the worker tells; safe for concurrent use.
class RecordedEvents final : public WorkerEvents {
 public:
  void OnMet(std::shared_ptr<Revision>) override {}
  void OnDemand(std::shared_ptr<Revision>, WallTime) override { demanded_.set_value(); }
  void OnDrained(const Instance*) override {}
  void OnEjected(std::shared_ptr<Revision>, std::string instance_id, uint32_t, Error) override {
    const std::lock_guard lock(mutex_);
    ejected_.push_back(std::move(instance_id));
  }
  void OnSlotNews(std::shared_ptr<Revision>) override {}
  void OnColdStart(std::string, std::string, ColdStartTimes) override {}

  void WaitForDemand() { demanded_.get_future().wait(); }  // once
  std::vector<std::string> ejected() {
    const std::lock_guard lock(mutex_);
    return ejected_;
  }

 private:
  std::promise<void> demanded_;
  std::mutex mutex_;
  std::vector<std::string> ejected_;
};

struct ProxySetup {
  const Clock* clock = &RealClock();  // its loop's
  RevisionSettings revision{
      .key = "default/app-1", .namespace_name = "default", .name = "app-1", .service = "app"};
  DispatcherLimits limits;
  ProxyOptions options;
  std::shared_ptr<AccessLog> access_log;
  std::vector<HostUpdate> hosts = {{"app.test", {{"default/app-1", 100}}}};
};

// Serves host "app.test" from revision "default/app-1".
class ProxyFixture {
 public:
  explicit ProxyFixture(ProxySetup setup = {})
      : setup_(std::move(setup)),
        routing_(1),
        worker_(0, thread_.loop(), *setup_.clock, setup_.limits, events_) {
    worker_.Meet({&worker_});
    RoutingUpdate update;
    update.full = true;
    update.revisions = {setup_.revision};
    update.routes = {{"default/app", setup_.hosts}};
    Publish(update);
    http::RunOn(thread_.loop(), [this] {
      proxy_ = std::make_unique<Proxy>(worker_, setup_.options,
                                       setup_.access_log ? &setup_.access_log->sink(0) : nullptr);
      http::ServerOptions options;
      options.body_timeout = Nanos::max();
      options.write_timeout = Nanos::max();
      server_ = std::make_unique<http::Server>(thread_.loop(), options, proxy_->Handler());
      port_ = *server_->Listen("127.0.0.1:0");
      inside_ = std::make_unique<http::Server>(thread_.loop(), options, proxy_->Handler(Entrance::kInside));
      inside_port_ = *inside_->Listen("127.0.0.1:0");
    });
  }
  ~ProxyFixture() {
    http::RunOn(thread_.loop(), [this] {
      server_.reset();
      inside_.reset();
      proxy_.reset();
    });
    thread_.Stop();
  }

  void SetPorts(const std::vector<uint16_t>& ports, ColdStartTimes cold_start = {}) {
    RoutingUpdate update;
    EndpointsUpdate& endpoints = update.endpoints.emplace_back();
    endpoints.revision = "default/app-1";
    endpoints.known = true;
    for (const uint16_t port : ports) {
      endpoints.endpoints.push_back({{"i-" + std::to_string(port), "127.0.0.1", port, cold_start}});
    }
    Publish(update);
  }

  uint16_t port() const { return port_; }
  uint16_t inside_port() const { return inside_port_; }
  Loop& loop() { return thread_.loop(); }
  Proxy& proxy() { return *proxy_; }
  RecordedEvents& events() { return events_; }
  Revision& revision() { return *worker_.routes().Find("app.test")->Choose(); }  // on the loop
  TrafficTotals traffic() {
    TrafficTotals totals;
    http::RunOn(loop(), [this, &totals] {
      totals = worker_.routes().Find("app.test")->Choose()->ReadTraffic();
    });
    return totals;
  }
  size_t idle_upstreams() {
    size_t count = 0;
    http::RunOn(loop(), [this, &count] { count = proxy_->pool().idle_count(); });
    return count;
  }
  size_t connections() {
    size_t count = 0;
    http::RunOn(loop(), [this, &count] { count = server_->connection_count(); });
    return count;
  }

 private:
  void Publish(const RoutingUpdate& update) {
    std::promise<void> taken;
    auto publication =
        std::make_shared<const Publication>(routing_.Apply(update, RealClock().Wall()));
    worker_.Publish(std::move(publication), [&taken] { taken.set_value(); });
    taken.get_future().wait();
  }

  const ProxySetup setup_;
  RecordedEvents events_;
  LoopThread thread_{"proxy", *setup_.clock};
  RoutingState routing_;
  Worker worker_;
  std::unique_ptr<Proxy> proxy_;
  std::unique_ptr<http::Server> server_;
  std::unique_ptr<http::Server> inside_;
  uint16_t port_ = 0;
  uint16_t inside_port_ = 0;
};

using http::RawBackend;

inline constexpr const char* kGet = "GET /x HTTP/1.1\r\nHost: app.test\r\n\r\n";
inline constexpr const char* kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

// Everything that a client gets for `response`, the instance closing behind it.
inline std::string Through(const std::string& request, const std::string& response) {
  RawBackend backend;
  ProxyFixture proxy;
  proxy.SetPorts({backend.port()});
  http::RawClient client(proxy.port());
  client.Send(request);
  http::RawClient instance = backend.Accept();
  instance.ReadUntil("\r\n\r\n");
  instance.Send(response);
  instance.Close();
  client.FinishWriting();
  return client.ReadAll();
}

}  // namespace updraft::activator
