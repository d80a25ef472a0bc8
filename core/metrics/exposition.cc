#include "core/metrics/exposition.h"

#include <prometheus/gauge.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <optional>
#include <string_view>

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

// Whether a weight is more than 0; without one it is 1.
bool HasWeight(std::string_view parameters) {
  const size_t q = parameters.find_first_of("qQ");
  return q == std::string_view::npos || parameters.find_first_of("123456789", q) != std::string_view::npos;
}

std::string_view Trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") + 1 - begin);
}

// RFC 9110, 12.5.3: what is said of gzip by its name, or else what is said of all.
bool AcceptsGzip(const http::Headers& headers) {
  bool any = false;
  std::optional<bool> gzip;
  for (const http::NamedHeader header : headers) {
    if (!http::EqualsIgnoreCase(header.name, "accept-encoding")) continue;
    for (std::string_view rest = header.value; !rest.empty();) {
      const std::string_view item = rest.substr(0, rest.find(','));
      rest.remove_prefix(std::min(rest.size(), item.size() + 1));
      const std::string_view coding = item.substr(0, item.find(';'));
      const bool wanted = HasWeight(item.substr(coding.size()));
      const std::string_view name = Trimmed(coding);
      if (name == "*") any = wanted;
      if (http::EqualsIgnoreCase(name, "gzip") || http::EqualsIgnoreCase(name, "x-gzip")) gzip = wanted;
    }
  }
  return gzip.value_or(any);
}

http::Task<Status> SendReady(http::Exchange& exchange, PageWriter& page) {
  if (page.Ready().empty()) co_return Ok();
  const http::Part part{nullptr, page.Ready(), false, nullptr};
  Status sent = co_await exchange.Send(part);
  page.Clear();
  co_return sent;
}

// Piece by piece: the loop has other work, which must not wait for ten thousand series.
http::Task<void> RespondPage(std::shared_ptr<const Operations> operations,
                             http::Exchange& exchange) {
  const Exposition& exposition = operations->exposition;
  http::Headers headers{{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"}};
  if (!exposition.has_parts()) {
    (void)co_await exchange.Respond(200, std::move(headers), exposition.RenderWithoutParts());
    co_return;
  }
  PageWriter page(AcceptsGzip(exchange.request().headers));
  headers.Add("Vary", "Accept-Encoding");
  if (page.gzip()) headers.Add("Content-Encoding", "gzip");
  Status sent = co_await exchange.StartResponse(200, std::move(headers));
  if (exchange.request().method == "HEAD") {
    if (sent) (void)co_await exchange.Finish();
    co_return;
  }
  page.text() = exposition.RenderWithoutParts();
  const std::vector<std::unique_ptr<PagePart>> parts = exposition.BeginParts();
  for (const std::unique_ptr<PagePart>& part : parts) {
    for (bool more = true; more && sent;) {
      more = part->Next(page);
      sent = co_await SendReady(exchange, page);
      Pause pause(exchange.loop());
      co_await pause.over().Wait();
    }
  }
  page.End();
  if (sent) sent = co_await SendReady(exchange, page);
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
  PageWriter page;
  page.text() = RenderWithoutParts();
  for (const std::unique_ptr<PagePart>& part : BeginParts()) {
    while (part->Next(page)) {
    }
  }
  return std::move(page.text());
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
