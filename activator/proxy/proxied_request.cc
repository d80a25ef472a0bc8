#include "activator/proxy/proxied_request.h"

#include <utility>

#include "activator/proxy/request_facts.h"

namespace updraft::activator {

using http::Task;
using End = RelayResult::End;

namespace {

// To one instance, of a request that it cannot have seen.
constexpr int kSendsMax = 3;

Task<void> ServeProxied(Proxy& proxy, http::Exchange& exchange, Entrance entrance) {
  ProxiedRequest request(proxy, exchange, entrance);
  co_await request.Serve();
  request.LogAccess();
}

}  // namespace

ProxiedRequest::ProxiedRequest(Proxy& proxy, http::Exchange& exchange, Entrance entrance)
    : proxy_(proxy),
      exchange_(exchange),
      entrance_(entrance),
      start_(exchange.loop().Now()),
      hold_(proxy.worker().dispatcher(), exchange.loop()) {
  origin_.client_ip = IpOf(exchange.peer());
  if (exchange.secure()) origin_.scheme = "https";
  origin_.host = exchange.request().host();
}

Task<void> ProxiedRequest::Serve() {
  const RequestFacts facts = FactsOf(exchange_.request().headers);
  origin_.request_id = facts.request_id;
  if (origin_.request_id.empty()) {
    made_id_ = proxy_.ids().Next();
    origin_.request_id = made_id_.view();
  }
  if (!facts.network_probe.empty())
    return AnswerNetworkProbe(AnswerProbe(facts.network_probe, facts.network_hash));
  logged_ = proxy_.access_log() != nullptr && proxy_.access_log()->Samples();
  const HostRule* const rule = FindRule(facts.route_tag);
  std::optional<HttpsRedirect> redirect;
  if (rule != nullptr) redirect = RedirectFor(*rule);
  if (redirect) return Redirect(*std::move(redirect));
  Revision* const revision = rule == nullptr ? nullptr : rule->Choose();
  if (revision == nullptr) {
    proxy_.counters().unrouted.Add();
    return Answer({404, "found no route",
                   "no service is known for host \"" + std::string(origin_.host) + "\"",
                   origin_.request_id});
  }
  // No "100 Continue" before an instance wants the body: until then it stays with the client.
  if (exchange_.continue_expected()) exchange_.WithholdContinue();
  exchange_.OnClientGone([this] { OnClientGone(); });
  DeadlineObserver& observer = *this;
  deadlines_.emplace(exchange_.loop(), TimeoutsOf(*revision), observer);
  return ServeRevision(*revision);
}

Task<void> ProxiedRequest::AnswerNetworkProbe(ProbeAnswer answer) {
  http::Headers headers{{"Content-Type", "text/plain; charset=utf-8"}};
  if (!answer.hash.empty()) headers.Add("K-Network-Hash", answer.hash);
  (void)co_await exchange_.Respond(answer.status, std::move(headers), std::move(answer.body));
}

// As Knative routes with its feature tag-header-based-routing: a tag in the request's field or in
// its host decides, and the instance is told which, or that there was none.
const HostRule* ProxiedRequest::FindRule(std::string_view tag) {
  const HostRule* rule = proxy_.worker().routes().Find(origin_.host);
  if (rule == nullptr) return nullptr;
  // To those outside it is a host that does not exist.
  if (rule->cluster_local && entrance_ != Entrance::kInside) return nullptr;
  if (rule->route != nullptr && rule->route->has_tags) {
    const HostRule* tagged = tag.empty() ? nullptr : rule->route->FindTag(tag);
    if (tagged != nullptr) rule = tagged;
    route_tag_ = rule->tag;
    origin_.route_tag = route_tag_;
    origin_.default_route = route_tag_.empty();
  }
  return rule;
}

std::optional<HttpsRedirect> ProxiedRequest::RedirectFor(const HostRule& rule) const {
  if (exchange_.secure() || rule.cluster_local) return std::nullopt;
  const ProxyOptions& options = proxy_.options();
  if (!options.https_only && (rule.route == nullptr || !rule.route->https_only))
    return std::nullopt;
  return RedirectToHttps(exchange_.request(), options.https_port);
}

Task<void> ProxiedRequest::Redirect(HttpsRedirect redirect) {
  status_ = redirect.status;
  http::Headers headers{{"Location", redirect.location}};
  std::string body;
  (void)co_await exchange_.Respond(redirect.status, std::move(headers), std::move(body));
}

RequestTimeouts ProxiedRequest::TimeoutsOf(Revision& revision) {
  const auto& settings = proxy_.worker().dispatcher().Settings(revision);
  if (settings == nullptr) return {};
  if (logged_) settings_ = settings;
  return {settings->timeout, settings->response_start_timeout, settings->idle_timeout,
          settings->silent_stream_timeout};
}

Task<void> ProxiedRequest::ServeRevision(Revision& revision) {
  if (exchange_.client_lost()) {
    // Gone before anybody saw the request: no load of the revision's, and none of its figures.
    proxy_.counters().client_aborts.Add();
    co_return;
  }
  std::shared_ptr<Revision> keep;  // while the request waits, the routes may change
  TrafficCounter& counter = proxy_.worker().dispatcher().Traffic(revision);
  traffic_.CountFor(counter);
  bool served = false;
  for (int tried = 0; !served && !over() && tried < proxy_.options().instances_tried_max; ++tried) {
    if (tried > 0) counter.retries.Add();
    hold_.Release();
    hold_.Acquire(revision, tried == 0 ? Dispatcher::Attempt::kFirst : Dispatcher::Attempt::kRetry);
    if (hold_.pending()) {
      keep = revision.shared_from_this();
      if (exchange_.client_gone()) hold_.GiveUp();
      const TimePoint waits_since = exchange_.loop().Now();
      co_await hold_.Settled();
      counter.waits.Add(exchange_.loop().Now() - waits_since);
    }
    if (!hold_.held()) break;
    served = co_await TryInstance();
  }
  if (!served) co_await AnswerWithoutInstance(revision);
  if (served) Record(revision);
}

// The revision may be gone once this has waited: it is recorded first.
Task<void> ProxiedRequest::AnswerWithoutInstance(Revision& revision) {
  const ErrorReply reply = ReplyWithoutInstance();
  status_ = reply.status;
  Record(revision);
  if (status_ != 0) co_await Answer(reply);
}

// Why no instance took the request. Status 0: there is nobody left to be told.
ErrorReply ProxiedRequest::ReplyWithoutInstance() {
  if (deadlines_->expired()) return TimeoutReply();
  const bool left = !hold_.held() && !hold_.refusal();
  if (left || exchange_.client_lost()) {
    proxy_.counters().client_aborts.Add();
    CountAbort(AbortCause::kClient);
    return {0, {}, {}, {}};
  }
  if (hold_.held()) {
    CountAbort(AbortCause::kInstance);
    const bool slow = connect_error_.code == Code::kDeadlineExceeded;
    const bool short_of = connect_error_.code == Code::kResourceExhausted;
    return {short_of ? 503 : slow ? 504 : 502, "could not reach an instance", connect_error_.message,
            origin_.request_id};
  }
  const bool full = hold_.refusal()->code == Code::kResourceExhausted;
  return {503, full ? "queue is full" : "has no instance for the request", hold_.refusal()->message,
          origin_.request_id};
}

ErrorReply ProxiedRequest::TimeoutReply() {
  proxy_.counters().timeouts.Add();
  CountAbort(AbortCause::kTimeout);
  exchange_.Resume();
  return {504, "request timeout", deadlines_->why(), origin_.request_id};
}

// False: no connection to the slot's instance could be opened.
Task<bool> ProxiedRequest::TryInstance() {
  const auto& settings = proxy_.worker().dispatcher().Settings(*hold_.slot().revision);
  // A change of protocol is asked for in HTTP/1.1, as Knative does.
  const bool http2 =
      settings != nullptr && settings->protocol == Protocol::kH2c && !exchange_.upgrade_requested();
  return http2 ? TryHttp2Instance() : TryHttp1Instance();
}

Task<bool> ProxiedRequest::TryHttp1Instance() {
  const std::string& instance_id = hold_.slot().instance->id();
  std::unique_ptr<UpstreamConnection> connection = proxy_.pool().Take(instance_id);
  RelayResult result;
  for (int sent = 0; sent == 0 || (result.end == End::kNotReceived && sent < kSendsMax); ++sent) {
    bool reused = sent == 0 && connection != nullptr;
    if (!reused) {
      const Status obtained = co_await Obtain(connection, reused);
      if (!obtained) co_return false;
    }
    Relay relay(BeginRelay(connection->http(), reused));
    result = co_await relay.Run();
    EndRelay(result);
  }
  if (result.end == End::kComplete && connection->http().reusable()) {
    proxy_.pool().Give(instance_id, std::move(connection));
  } else {
    connection.reset();
    proxy_.pool().Closed(instance_id);
  }
  status_ = result.status;
  if (result.end != End::kComplete) co_await Conclude(std::move(result));
  co_return true;
}

Task<bool> ProxiedRequest::TryHttp2Instance() {
  const Instance& instance = *hold_.slot().instance;
  RelayResult result;
  for (int sent = 0; sent == 0 || (result.end == End::kNotReceived && sent < kSendsMax); ++sent) {
    std::shared_ptr<http::Http2ClientConnection> connection =
        proxy_.http2_upstreams().Find(instance.id());
    if (connection == nullptr) {
      proxy_.counters().connects.Add();
      auto started = proxy_.http2_upstreams().Connect(instance);
      if (!started) {
        (void)NoteConnect(started.error());
        co_return false;
      }
      connection = *std::move(started);
    }
    const bool reused = connection->proven();
    http::Http2ClientExchange upstream(std::move(connection));
    upstream_ = &upstream;
    Status connected = co_await upstream.Connected();
    upstream_ = nullptr;
    if (!NoteConnect(std::move(connected))) co_return false;
    Relay relay(BeginRelay(upstream, reused));
    result = co_await relay.Run();
    EndRelay(result);
  }
  status_ = result.status;
  if (result.end != End::kComplete) co_await Conclude(std::move(result));
  co_return true;
}

RelayParts ProxiedRequest::BeginRelay(http::ClientExchange& upstream, bool reused) {
  upstream_ = &upstream;
  return {exchange_, upstream, proxy_.worker().dispatcher(), hold_.slot(), *deadlines_,
          origin_,   body_,    traffic_,                     reused};
}

void ProxiedRequest::EndRelay(const RelayResult& result) {
  upstream_ = nullptr;
  if (result.end != End::kNotReceived) return;
  proxy_.counters().repeats.Add();
  proxy_.worker().dispatcher().Traffic(*hold_.slot().revision).retries.Add();
}

// A connection of its own; or, when there are no descriptors for one, the next that another request
// is done with. Gives up when nobody has been given one for as long as connecting may take.
Task<Status> ProxiedRequest::Obtain(std::unique_ptr<UpstreamConnection>& connection, bool& reused) {
  Status connected = co_await Connect(connection);
  while (!connected && connected.error().code == Code::kResourceExhausted && !over()) {
    UpstreamWait wait(proxy_.pool(), hold_.slot().instance->id());
    wait_ = &wait;
    const TimePoint until = exchange_.loop().Now() + proxy_.options().connect_timeout;
    bool timely = true;
    while (wait.pending() && timely) {
      http::Gate::Wait ended(wait.gate(), until);
      timely = co_await ended;
    }
    wait_ = nullptr;
    connection = wait.TakeConnection();
    reused = connection != nullptr;
    if (reused) co_return Ok();
    if (over() || (!timely && wait.pending() && !wait.moved_on())) break;
    wait.Use();
    connected = co_await Connect(connection);
  }
  co_return connected;
}

Task<Status> ProxiedRequest::Connect(std::unique_ptr<UpstreamConnection>& connection) {
  proxy_.counters().connects.Add();
  Result<std::unique_ptr<UpstreamConnection>> started =
      UpstreamConnection::Start(exchange_.loop(), hold_.slot().instance->host_port());
  if (!started) co_return NoteConnect(started.error());
  connection = *std::move(started);
  upstream_ = &connection->http();
  const TimePoint deadline = exchange_.loop().Now() + proxy_.options().connect_timeout;
  Status connected = co_await connection->http().FinishConnecting(deadline);
  upstream_ = nullptr;
  co_return NoteConnect(std::move(connected));
}

// An instance that cannot be connected to gets no requests for a while.
Status ProxiedRequest::NoteConnect(Status connected) {
  if (connected || connected.error().code == Code::kCancelled) return connected;
  const Instance& instance = *hold_.slot().instance;
  connect_error_ =
      Context("instance " + instance.id() + " at " + instance.host_port(), connected.error());
  proxy_.counters().connect_failures.Add();
  // What we are short of is not the instance's fault.
  if (connect_error_.code != Code::kResourceExhausted)
    proxy_.worker().dispatcher().MarkFailed(hold_.slot(), connect_error_);
  return connected;
}

// Tells the client how it ended, as far as that can still be told.
Task<void> ProxiedRequest::Conclude(RelayResult result) {
  if (deadlines_->expired()) {
    const ErrorReply timeout = TimeoutReply();
    // It had the whole request, and did not say a word.
    const Error silent{Code::kDeadlineExceeded, timeout.detail};
    if (result.status == 0 && !exchange_.body_pending()) MarkUnanswered(silent);
    co_await AnswerOrAppend(timeout);
    co_return;
  }
  const bool protocol =
      result.error.code == Code::kInternal || result.error.code == Code::kInvalidArgument;
  CountAbort(protocol ? AbortCause::kProtocol : AbortCause::kInstance);
  if (result.end == End::kNoResponse || result.end == End::kNotReceived) {
    MarkUnanswered(result.error);
    const std::string& id = hold_.slot().instance->id();
    const ErrorReply reply{502, "got no response", "instance " + id + ": " + result.error.message,
                           origin_.request_id};
    co_await Answer(reply);
    co_return;
  }
  const Code code = result.error.code;
  if (result.end != End::kBroken && !protocol) CountAbort(AbortCause::kClient);
  if (result.end == End::kClientFailed && !exchange_.started() && code != Code::kUnavailable) {
    const int status = code == Code::kDeadlineExceeded ? 408 : 400;
    const ErrorReply reply{status, "could not read the request's body", result.error.message,
                           origin_.request_id};
    co_await Answer(reply);
    co_return;
  }
  if (result.end != End::kBroken) proxy_.counters().client_aborts.Add();
  exchange_.Abort();
}

void ProxiedRequest::MarkUnanswered(const Error& error) {
  const Slot& slot = hold_.slot();
  const std::string where = "instance " + slot.instance->id() + " at " + slot.instance->host_port();
  proxy_.worker().dispatcher().MarkUnanswered(slot, Context(where, error));
}

// A response that has begun ends with the reason, if its framing leaves room for it.
Task<void> ProxiedRequest::AnswerOrAppend(ErrorReply reply) {
  if (!exchange_.started()) {
    co_await Answer(reply);
  } else if (status_ == 101) {
    exchange_.Abort();
  } else if (IsGrpc(exchange_.request().headers)) {
    const http::Headers trailers = GrpcTrailers(reply);
    const http::Part part{nullptr, {}, true, &trailers};
    (void)co_await exchange_.Send(part);
  } else {
    const RenderedReply rendered = Render(reply, {});
    const http::Part part{nullptr, rendered.body, true, nullptr};
    (void)co_await exchange_.Send(part);
  }
}

Task<void> ProxiedRequest::Answer(ErrorReply reply) {
  status_ = reply.status;
  const http::Headers& request = exchange_.request().headers;
  RenderedReply rendered;
  if (IsGrpc(request)) {
    rendered = RenderGrpc(reply);
  } else {
    rendered = Render(reply, request.Get("accept").value_or(""));
  }
  own_bytes_ = rendered.body.size();
  (void)co_await exchange_.Respond(rendered.status, std::move(rendered.headers),
                                   std::move(rendered.body));
}

// The response comes last: with it the request is over for who reads the figures (Revision::ReadEnded).
void ProxiedRequest::Record(Revision& revision) {
  Dispatcher& dispatcher = proxy_.worker().dispatcher();
  if (abort_cause_) dispatcher.Traffic(revision).AddAbort(*abort_cause_);
  dispatcher.Record(revision, {status_, exchange_.loop().Now() - start_});
}

void ProxiedRequest::LogAccess() const {
  if (!logged_) return;
  const Instance* instance = hold_.held() ? hold_.slot().instance : nullptr;
  const std::optional<uint64_t> length = exchange_.body_length();
  proxy_.access_log()->Write({
      .request = exchange_.request(),
      .http2 = exchange_.http2(),
      .host = origin_.host,
      .remote_address = exchange_.peer(),
      .request_id = origin_.request_id,
      .content_length = length ? static_cast<int64_t>(*length) : -1,
      .status = status_,
      .response_bytes = traffic_.out() + own_bytes_,
      .latency = exchange_.loop().Now() - start_,
      .time = RealClock().Wall(),
      .revision = settings_.get(),
      .instance_id = instance == nullptr ? std::string_view() : instance->id(),
      .instance_ip = instance == nullptr ? std::string_view() : instance->ip(),
  });
}

bool ProxiedRequest::over() const { return deadlines_->expired() || exchange_.client_lost(); }

void ProxiedRequest::OnDeadline() {
  hold_.GiveUp();
  if (wait_ != nullptr) wait_->GiveUp();
  if (upstream_ != nullptr) upstream_->Interrupt();
  exchange_.Interrupt();
}

// While it waits, a client that has nothing more to say counts as gone; later only one that is
// lost.
void ProxiedRequest::OnClientGone() {
  hold_.GiveUp();
  if (!exchange_.client_lost()) return;
  if (wait_ != nullptr) wait_->GiveUp();
  if (upstream_ != nullptr) upstream_->Interrupt();
}

http::Handler Proxy::Handler(Entrance entrance) {
  return [this, entrance](http::Exchange& exchange) { return ServeProxied(*this, exchange, entrance); };
}

}  // namespace updraft::activator
