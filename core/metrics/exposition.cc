#include "core/metrics/exposition.h"

#include <prometheus/gauge.h>
#include <prometheus/text_serializer.h>

#include "core/http/sync.h"
#include "core/metrics/process_metrics.h"

namespace updraft::metrics {
namespace {

struct Operations {
  Exposition& exposition;
  std::function<Status()> ready;
};

http::Headers TextHeaders() { return {{"Content-Type", "text/plain; charset=utf-8"}}; }

http::Task<void> RespondText(http::Exchange& exchange, int status, std::string body) {
  http::Headers headers = TextHeaders();
  (void)co_await exchange.Respond(status, std::move(headers), std::move(body));
}

// Lets the loop turn: whoever waits for over() goes on when its timers have run.
class Pause {
 public:
  explicit Pause(Loop& loop)
      : loop_(loop), over_(loop), timer_(loop.After(Nanos(0), [this] { over_.Notify(); })) {}
  ~Pause() { loop_.Cancel(timer_); }
  Pause(const Pause&) = delete;
  Pause& operator=(const Pause&) = delete;
  http::Signal& over() { return over_; }

 private:
  Loop& loop_;
  http::Signal over_;
  const Loop::TimerId timer_;
};

// Piece by piece: the loop has other work, which must not wait for ten thousand series.
http::Task<void> RespondPage(std::shared_ptr<const Operations> operations,
                             http::Exchange& exchange) {
  http::Headers headers{{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"}};
  std::string piece = operations->exposition.RenderWithoutParts();
  const std::vector<std::unique_ptr<PagePart>> parts = operations->exposition.BeginParts();
  if (parts.empty()) {
    (void)co_await exchange.Respond(200, std::move(headers), std::move(piece));
    co_return;
  }
  Status sent = co_await exchange.StartResponse(200, std::move(headers));
  for (const std::unique_ptr<PagePart>& part : parts) {
    for (bool more = true; more && sent;) {
      more = part->Next(piece);
      sent = co_await exchange.Write(std::move(piece));
      piece.clear();
      Pause pause(exchange.loop());
      co_await pause.over().Wait();
    }
  }
  if (sent) sent = co_await exchange.Write(std::move(piece));
  if (sent) (void)co_await exchange.Finish();
}

http::Task<void> Serve(std::shared_ptr<const Operations> operations, http::Exchange& exchange) {
  const std::string_view path = exchange.request().path();
  const bool reads = exchange.request().method == "GET" || exchange.request().method == "HEAD";
  int status = 404;
  std::string body = "not found: this port serves /metrics, /healthz and /readyz\n";
  if (!reads) {
    status = 405;
    body = "only GET and HEAD are served here\n";
  } else if (path == "/metrics") {
    co_await RespondPage(operations, exchange);
    co_return;
  } else if (path == "/healthz") {
    status = 200;
    body = "ok\n";
  } else if (path == "/readyz") {
    const Status ready = operations->ready();
    status = ready ? 200 : 503;
    body = ready ? "ok\n" : ready.error().message + "\n";
  }
  co_await RespondText(exchange, status, std::move(body));
}

}  // namespace

Exposition::Exposition(const std::string& component)
    : registry_(std::make_shared<prometheus::Registry>()) {
  collectables_.push_back(registry_);
  collectables_.push_back(std::make_shared<ProcessMetrics>());
  prometheus::BuildGauge()
      .Name("updraft_build_info")
      .Help("Always 1; the labels say which program of which version this is.")
      .Register(*registry_)
      .Add({{"component", component}, {"version", UPDRAFT_VERSION}, {"compiler", __VERSION__}})
      .Set(1);
}

std::string Exposition::Render() const {
  std::string page = RenderWithoutParts();
  for (const std::unique_ptr<PagePart>& part : BeginParts()) {
    while (part->Next(page)) {
    }
  }
  return page;
}

std::vector<std::unique_ptr<PagePart>> Exposition::BeginParts() const {
  std::vector<std::unique_ptr<PagePart>> parts;
  for (const auto& begin : parts_) parts.push_back(begin());
  return parts;
}

std::string Exposition::RenderWithoutParts() const {
  std::vector<prometheus::MetricFamily> families;
  for (const auto& collectable : collectables_) {
    std::vector<prometheus::MetricFamily> part = collectable->Collect();
    std::move(part.begin(), part.end(), std::back_inserter(families));
  }
  return prometheus::TextSerializer().Serialize(families);
}

http::Handler OperationsHandler(Exposition& exposition, std::function<Status()> ready) {
  const auto operations =
      std::make_shared<const Operations>(Operations{exposition, std::move(ready)});
  return [operations](http::Exchange& exchange) { return Serve(operations, exchange); };
}

}  // namespace updraft::metrics
