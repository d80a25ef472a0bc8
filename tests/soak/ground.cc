#include "tests/soak/ground.h"

#include "tests/unit/core/http/test_certificates.h"

namespace updraft::activator {
namespace {

using http::Exchange;
using http::Headers;
using http::Part;
using http::Task;

constexpr int kLongPieces = 16;
constexpr size_t kPiece = 64 << 10;

Task<void> EchoBack(Exchange& exchange, int status) {
  http::ResponseHead head;
  head.status = status;
  if (status == 101) head.headers.Add("Upgrade", "websocket");
  Part part{&head, {}, false, nullptr};
  Status sent = co_await exchange.Send(part);
  while (sent && !part.last) {
    const Result<std::string_view> piece = co_await exchange.ReadView();
    if (!piece) co_return;
    part = {nullptr, *piece, piece->empty(), nullptr};
    sent = co_await exchange.Send(part);
  }
}

Task<void> SendLong(Exchange& exchange) {
  (void)co_await exchange.StartResponse(200, Headers());
  for (int i = 0; i < kLongPieces; ++i) {
    std::string piece(kPiece, 'l');
    const Status written = co_await exchange.Write(std::move(piece));
    if (!written) co_return;
  }
  (void)co_await exchange.Finish();
}

Task<void> WithTrailers(Exchange& exchange) {
  (void)co_await exchange.ReadBody(1 << 20);
  http::ResponseHead head;
  head.headers.Add("Content-Type", "application/grpc");
  const Part first{&head, "answer", false, nullptr};
  (void)co_await exchange.Send(first);
  const Headers trailers{{"grpc-status", "0"}};
  const Part last{nullptr, {}, true, &trailers};
  (void)co_await exchange.Send(last);
}

Task<void> WaitForTheEnd(Exchange& exchange) {
  http::Signal gone(exchange.loop());
  exchange.OnClientGone([&gone] { gone.Notify(); });
  co_await gone.Wait();
}

Task<void> ServeByPath(Exchange& exchange) {
  const std::string_view path = exchange.request().path();
  if (path == "/echo") co_return co_await EchoBack(exchange, 200);
  if (path == "/tunnel") co_return co_await EchoBack(exchange, exchange.http2() ? 200 : 101);
  if (path == "/long") co_return co_await SendLong(exchange);
  if (path == "/trailers") co_return co_await WithTrailers(exchange);
  if (path == "/never") co_return co_await WaitForTheEnd(exchange);
  if (path == "/drop") {
    exchange.Abort();
    co_return;
  }
  if (path == "/slow") {
    const TimePoint until = exchange.loop().Now() + Millis(2);
    co_await http::SleepUntil(exchange.loop(), until);
  }
  (void)co_await exchange.ReadBody(1 << 20);
  (void)co_await exchange.Respond(200, Headers(), "ok");
}

// So short that connections to instances also close just as they are taken, and soon when nobody asks any more.
http::ServerOptions InstanceOptions() {
  http::ServerOptions options;
  options.idle_timeout = Millis(300);
  options.http2_streams_max = 1000;
  return options;
}

RevisionSettings Named(const std::string& name) {
  RevisionSettings settings;
  settings.key = "default/" + name;
  settings.namespace_name = "default";
  settings.name = name;
  settings.service = name;
  return settings;
}

EndpointsUpdate Instances(const std::string& revision, const std::vector<uint16_t>& ports, bool draining = false) {
  EndpointsUpdate endpoints{.revision = "default/" + revision, .known = true};
  for (const uint16_t port : ports)
    endpoints.endpoints.push_back({{revision + "-" + std::to_string(port), "127.0.0.1", port, {}}, draining});
  return endpoints;
}

RouteUpdate Route(const std::string& name) {
  return {.key = "default/" + name, .hosts = {{.host = name + ".test", .splits = {{"default/" + name, 100}}}}};
}

WorkerPoolOptions SoakOptions() {
  WorkerPoolOptions options = Workers(2);
  options.head_timeout = Millis(500);
  return options;
}

}  // namespace

Ground::Ground()
    : first_(ServeByPath, InstanceOptions()), second_(ServeByPath, InstanceOptions()), activator_(SoakOptions(), {}) {
  activator_.SetPorts({first_.port(), second_.port()});
  RoutingUpdate update;
  RevisionSettings few = Named("few");
  few.container_concurrency = 2;
  RevisionSettings h2 = Named("h2");
  h2.protocol = Protocol::kH2c;
  RevisionSettings hasty = Named("hasty");
  hasty.timeout = Millis(30);
  RevisionSettings cold = Named("cold");
  cold.container_concurrency = 5;
  update.revisions = {few, h2, hasty, cold};
  update.endpoints = {Instances("few", {first_.port(), second_.port()}), Instances("h2", {first_.port()}),
                      Instances("hasty", {second_.port()})};
  RouteUpdate app{.key = "default/app", .hosts = {{.host = "app.test", .splits = {{"default/app-1", 100}}}}};
  const http::Pem pem = http::MakePem({"app.test"});
  app.certificate = {pem.chain, pem.key};
  update.routes = {app, Route("few"), Route("h2"), Route("hasty"), Route("cold")};
  activator_.Publish(update);
  ports_ = {activator_.port(), activator_.Listen({.tls = true})};
  for (const char* name : {"app-1", "few", "h2", "hasty", "cold"}) revisions_.push_back(activator_.revision(name));
}

void Ground::SetCold(bool known, bool draining) {
  RoutingUpdate update;
  update.endpoints = {Instances("cold", known ? std::vector<uint16_t>{first_.port()} : std::vector<uint16_t>{}, draining)};
  activator_.Publish(update);
}

void Ground::Change() {
  switch (changes_++ % 4) {
    case 0:
      return SetCold(true, false);
    case 1: {
      RoutingUpdate update;
      update.routes = {Route("passing-" + std::to_string(changes_ % 100))};
      if (changes_ > 50) update.removed_routes = {"default/passing-" + std::to_string((changes_ - 50) % 100)};
      activator_.Publish(update);
      return;
    }
    case 2:
      return SetCold(true, true);
    default:
      return SetCold(false, false);
  }
}

void Ground::Settle() { SetCold(true, false); }

std::string Ground::Inside() const {
  std::string inside;
  for (const RevisionPage::OfRevision& of : revisions_) {
    const LoadReading load = of.revision->ReadLoad(RealClock());
    if (load.waiting + load.running == 0) continue;
    inside += of.settings->name + " has " + std::to_string(load.waiting) + " waiting and " + std::to_string(load.running) +
              " running; ";
  }
  return inside;
}

std::string Ground::Unrecorded() const {
  std::string unrecorded;
  for (const RevisionPage::OfRevision& of : revisions_) {
    const uint64_t arrived = of.revision->ReadLoad(RealClock()).arrivals;
    uint64_t ended = 0;
    std::string ends;
    for (const DurationTotals& totals : of.revision->ReadResponses().classes) {
      ended += totals.count();
      ends += " " + std::to_string(totals.count());
    }
    if (ended != arrived) unrecorded += of.settings->name + ": " + std::to_string(arrived) + " arrived, ended by class (none, 1xx, ...)" + ends + "; ";
  }
  return unrecorded;
}

}  // namespace updraft::activator
