#include "activator/worker_pool.h"

#include <atomic>
#include <future>
#include <utility>

#include "core/base/check.h"
#include "core/http/tls_context.h"

namespace updraft::activator {
namespace {

// Most clients that send requests one after the other leave shorter pauses.
constexpr Nanos kDrainIdleTime = Seconds(1);

// Runs `work` on the loop and waits for it.
void RunOn(Loop& loop, const std::function<void()>& work) {
  std::promise<void> done;
  loop.Post([&work, &done] {
    work();
    done.set_value();
  });
  done.get_future().wait();
}

http::ServerOptions ServerOptionsFor(const WorkerPoolOptions& pool) {
  http::ServerOptions options;
  options.head_timeout = pool.head_timeout;
  options.idle_timeout = pool.idle_timeout;
  // A request's deadlines are its revision's.
  options.body_timeout = Nanos::max();
  options.write_timeout = Nanos::max();
  options.http2_streams_max = 1000;
  options.drain_idle_time = kDrainIdleTime;
  options.reuse_port = pool.workers > 1;
  return options;
}

// What a worker's handshakes are served with: what its routes say, else what is in files. Its loop's
// thread only.
class WorkerCertificates final : public http::CertificateSource {
 public:
  explicit WorkerCertificates(const Worker& worker) : worker_(worker) {}

  void Set(std::shared_ptr<const FileCertificates> files) { files_ = std::move(files); }
  Choice FindCertificate(std::string_view host) const override {
    if (auto certificate = worker_.routes().FindCertificate(host)) return {std::move(certificate), false};
    return activator::FindCertificate(*files_, host);
  }

 private:
  const Worker& worker_;
  std::shared_ptr<const FileCertificates> files_ = std::make_shared<const FileCertificates>();
};

AccessLogSink* SinkOf(AccessLog* log, uint32_t worker) { return log == nullptr ? nullptr : &log->sink(worker); }

}  // namespace

Status ListenAt(http::Server& server, const std::string& address, const http::InheritedListeners& inherited,
                uint32_t index, uint32_t servers, http::ListenOptions how) {
  const Result<http::SocketAddress> parsed = http::ParseAddress(address);
  if (!parsed) return parsed.error();
  std::vector<UniqueFd> sockets = inherited.For(*parsed, index, servers);
  for (UniqueFd& socket : sockets) server.ListenAt(std::move(socket), how);
  if (!sockets.empty()) return Ok();
  const Result<uint16_t> port = server.Listen(address, how);
  return port ? Ok() : Status(port.error());
}

struct WorkerPool::Part {
  Part(uint32_t index, const WorkerPoolOptions& options, const http::TicketKeys& keys, WorkerEvents& events)
      : thread("worker-" + std::to_string(index)),
        worker(index, thread.loop(), RealClock(), options.limits, events),
        certificates(worker),
        tls(certificates, keys, http::TlsContext::Offer::kHttp1AndHttp2),
        proxy(std::make_unique<Proxy>(worker, options.proxy, SinkOf(options.access_log, index))),
        server(std::make_unique<http::Server>(thread.loop(), ServerOptionsFor(options), proxy->Handler())),
        inside(std::make_unique<http::Server>(thread.loop(), ServerOptionsFor(options),
                                              proxy->Handler(Entrance::kInside))) {}

  LoopThread thread;
  Worker worker;
  WorkerCertificates certificates;
  http::TlsContext tls;
  std::unique_ptr<Proxy> proxy;
  std::unique_ptr<http::Server> server;
  std::unique_ptr<http::Server> inside;
};

WorkerPool::WorkerPool(const WorkerPoolOptions& options, WorkerEvents& events) {
  UPDRAFT_CHECK(options.workers >= 1 && options.workers <= Revision::kWorkersMax);
  const http::TicketKeys keys = http::MakeTicketKeys();
  for (uint32_t i = 0; i < options.workers; ++i) {
    parts_.push_back(std::make_unique<Part>(i, options, keys, events));
  }
  for (const auto& part : parts_) part->worker.Meet(workers());
}

WorkerPool::~WorkerPool() {
  for (const auto& part : parts_) {
    RunOn(part->thread.loop(), [&part] {
      part->server.reset();
      part->inside.reset();
      part->proxy.reset();
    });
  }
  // All of them before any worker goes: until then they may wake one another.
  for (const auto& part : parts_) part->thread.Stop();
}

std::vector<Worker*> WorkerPool::workers() const {
  std::vector<Worker*> workers;
  for (const auto& part : parts_) workers.push_back(&part->worker);
  return workers;
}

std::vector<const ProxyCounters*> WorkerPool::counters() const {
  std::vector<const ProxyCounters*> counters;
  for (const auto& part : parts_) counters.push_back(&part->proxy->counters());
  return counters;
}

std::vector<const http::TlsCounters*> WorkerPool::tls_counters() const {
  std::vector<const http::TlsCounters*> counters;
  for (const auto& part : parts_) counters.push_back(&part->tls.counters());
  return counters;
}

Status WorkerPool::Listen(const std::vector<ListenAddress>& addresses, const http::InheritedListeners& inherited) {
  for (uint32_t i = 0; i < parts_.size(); ++i) {
    Part& part = *parts_[i];
    for (const ListenAddress& listen : addresses) {
      const http::ListenOptions how{.tls = listen.tls ? &part.tls : nullptr, .proxy_protocol = listen.proxied};
      Status status = Ok();
      RunOn(part.thread.loop(), [&] {
        status = ListenAt(*part.server, listen.address, inherited, i, static_cast<uint32_t>(parts_.size()), how);
      });
      if (!status) return status;
    }
  }
  return Ok();
}

Status WorkerPool::ListenInside(const std::vector<std::string>& addresses, const http::InheritedListeners& inherited) {
  Status status = Ok();
  for (uint32_t i = 0; i < parts_.size() && status; ++i) {
    Part& part = *parts_[i];
    RunOn(part.thread.loop(), [&] {
      for (const std::string& address : addresses) {
        if (status) status = ListenAt(*part.inside, address, inherited, i, static_cast<uint32_t>(parts_.size()));
      }
    });
  }
  if (status) return status;
  for (const auto& part : parts_) {
    RunOn(part->thread.loop(), [&part] { part->inside->StopAccepting(); });
  }
  return status;
}

std::vector<int> WorkerPool::ListeningSockets() const {
  std::vector<int> all;
  for (const auto& part : parts_) {
    RunOn(part->thread.loop(), [&all, &part] {
      for (const http::Server* server : {part->server.get(), part->inside.get()}) {
        const std::vector<int> sockets = server->listening_sockets();
        all.insert(all.end(), sockets.begin(), sockets.end());
      }
    });
  }
  return all;
}

void WorkerPool::SetCertificates(std::shared_ptr<const FileCertificates> certificates) {
  for (const auto& part : parts_) {
    part->thread.loop().Post([&part = *part, certificates] { part.certificates.Set(certificates); });
  }
}

void WorkerPool::SetLogFormat(std::shared_ptr<const LogTemplate> format) {
  for (const auto& part : parts_) {
    part->thread.loop().Post([&part = *part, format] { part.proxy->access_log()->Use(format); });
  }
}

void WorkerPool::SetTicketKeys(const http::TicketKeys& keys) {
  for (const auto& part : parts_) {
    part->thread.loop().Post([&part = *part, keys] { part.tls.SetTicketKeys(keys); });
  }
}

void WorkerPool::Drain(TimePoint deadline, std::function<void()> done) {
  const auto left = std::make_shared<std::atomic<size_t>>(2 * parts_.size());
  const auto last = std::make_shared<std::function<void()>>(std::move(done));
  for (const auto& part : parts_) {
    for (http::Server* server : {part->server.get(), part->inside.get()}) {
      part->thread.loop().Post([server, deadline, left, last] {
        server->Drain(deadline, [left, last] {
          if (left->fetch_sub(1) == 1) (*last)();
        });
      });
    }
  }
}

}  // namespace updraft::activator
