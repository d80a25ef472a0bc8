#include "activator/proxy/relay.h"

#include "activator/proxy/response_head.h"
#include "activator/proxy/upstream_fields.h"
#include "activator/proxy/upstream_head.h"
#include "activator/stats/cold_start.h"
#include "core/http/head_writer.h"

namespace updraft::activator {
namespace {

using http::Task;
using End = RelayResult::End;

using Version = http::ClientExchange::Version;

constexpr int kInterimResponsesMax = 32;
constexpr size_t kKeptBodyBytesMax = 16 << 10;

bool IsIdempotent(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS" || method == "TRACE" ||
         method == "PUT" || method == "DELETE";
}

RequestBody BodyKind(const http::Exchange& exchange) {
  const std::optional<uint64_t> length = exchange.body_length();
  if (!length) return RequestBody::kChunked;
  return *length == 0 ? RequestBody::kNone : RequestBody::kLength;
}

}  // namespace

Task<RelayResult> Relay::Run() {
  Task<Status> sending =
      parts_.exchange.body_pending() || parts_.body.taken ? SendWithBody() : SendHead({}, true);
  const Status sent = co_await sending;
  // Who stops listening may have answered before.
  const bool listen =
      sent || (sent.error().code == Code::kUnavailable && !parts_.upstream.not_received());
  Status answered = sent;
  if (listen) answered = co_await parts_.upstream.ReadHead();
  if (listen && answered && IsInterim()) answered = co_await PassInterim();
  RelayResult result;
  if (!answered) {
    result = Failure(sent ? answered.error() : sent.error());
  } else if (parts_.upstream.head().status == 101) {
    result = co_await RelayTunnel();
  } else {
    result = co_await RelayResponse();
  }
  if (upload_.running()) co_await upload_.Stop();
  if (upload_.client_error() && result.end != End::kComplete) {
    result.end = End::kClientFailed;
    result.error = *upload_.client_error();
  }
  co_return result;
}

// The head goes together with as much of the body as is there already.
Task<Status> Relay::SendWithBody() {
  http::Exchange& exchange = parts_.exchange;
  TakenBody& body = parts_.body;
  std::string_view first = body.bytes;
  if (!body.taken && exchange.body_ready()) {
    const Result<std::string_view> piece = co_await exchange.ReadView();
    if (!piece) {
      upload_.Fail(piece.error());
      co_return piece.error();
    }
    body.taken = true;
    first = *piece;
  }
  const bool last = !exchange.body_pending();
  // An HTTP/2 server may refuse a request after all of it was sent.
  if (last && parts_.upstream.version() == Version::kHttp2) KeepBody(first, true);
  const Status sent = co_await SendHead(first, last);
  if (!sent && parts_.upstream.not_received()) KeepBody(first, false);
  if (sent) parts_.traffic.In(first.size());
  if (sent && !last) upload_.Start();
  co_return sent;
}

void Relay::KeepBody(std::string_view first, bool whole) {
  TakenBody& body = parts_.body;
  if (body.kept || !body.taken || (whole && first.size() > kKeptBodyBytesMax)) return;
  body.kept = true;
  body.bytes = first;
}

Task<Status> Relay::SendHead(std::string_view body, bool last) {
  const http::Exchange& exchange = parts_.exchange;
  const RequestBody kind = BodyKind(exchange);
  const bool chunked = kind == RequestBody::kChunked;
  parts_.upstream.Begin(exchange.request().method,
                        chunked ? http::BodyFraming::kChunked : http::BodyFraming::kLength,
                        TimePoint::max());
  thread_local http::HeadBuffer buffer;
  http::HeadWriter head(buffer);
  const http::Headers* trailers = last && chunked ? &exchange.trailers() : nullptr;
  if (parts_.upstream.version() == Version::kHttp1) {
    WriteUpstreamHead(exchange.request(), parts_.origin, {kind, exchange.upgrade_requested()},
                      head);
    return parts_.upstream.Send({head.written(), {}, body, last, trailers});
  }
  WriteUpstreamHead(exchange.request(), parts_.origin, {RequestBody::kLength, false}, head);
  return SendHttp2Head(head.written(), body, last, trailers);
}

// The fields live in this task's frame: nothing of it runs before it is awaited.
Task<Status> Relay::SendHttp2Head(std::string_view head, std::string_view body, bool last,
                                  const http::Headers* trailers) {
  const UpstreamFields fields(parts_.exchange.request(), head);
  const http::ClientExchange::Part part{{}, fields.all(), body, last, trailers};
  co_return co_await parts_.upstream.Send(part);
}

bool Relay::IsInterim() const {
  const int status = parts_.upstream.head().status;
  return status < 200 && status != 101;
}

// Passes on what comes before the response's own head (100, 103).
Task<Status> Relay::PassInterim() {
  for (int count = 0; count < kInterimResponsesMax; ++count) {
    CleanResponseHead(parts_.upstream.head(), {});
    const http::Part part{&parts_.upstream.head(), {}, false, nullptr};
    (void)co_await parts_.exchange.Send(part);
    parts_.deadlines.OnActivity();
    const Status read = co_await parts_.upstream.ReadHead();
    if (!read || !IsInterim()) co_return read;
  }
  co_return Error{Code::kInternal, "too many interim responses"};
}

RelayResult Relay::Failure(const Error& error) const {
  if (error.code == Code::kCancelled) return {End::kInterrupted, 0, error};
  if (MayRepeat()) return {End::kNotReceived, 0, error};
  return {End::kNoResponse, 0, error};
}

// A connection that was idle may have been closed just before the request was sent on it.
bool Relay::MayRepeat() const {
  if (parts_.upstream.answered() || upload_.started()) return false;
  if (parts_.body.taken && !parts_.body.kept) return false;
  if (parts_.upstream.not_received()) return true;
  return parts_.reused && !parts_.body.taken && IsIdempotent(parts_.exchange.request().method);
}

Task<RelayResult> Relay::RelayResponse() {
  http::ClientExchange& upstream = parts_.upstream;
  OnResponseBegins();
  RelayResult result;
  result.status = upstream.head().status;
  const http::ResponseHead* head = &upstream.head();
  while (true) {
    // The head waits for no body, but takes along what is there.
    std::optional<Result<std::string_view>> piece = upstream.TakeBufferedBody();
    if (!piece && head == nullptr) piece = co_await upstream.ReadBody();
    if (piece && !*piece) {
      result.error = piece->error();
      result.end = result.error.code == Code::kCancelled ? End::kInterrupted : End::kBroken;
      if (head != nullptr) result.end = End::kNoResponse;
      co_return result;
    }
    const bool last = upstream.body_done();
    const http::Headers* trailers =
        last && !upstream.trailers().empty() ? &upstream.trailers() : nullptr;
    const http::Part part{head, piece ? **piece : std::string_view(), last, trailers};
    head = nullptr;
    const Status sent = co_await parts_.exchange.Send(part);
    if (!sent) co_return ClientFailure(result, sent.error());
    parts_.traffic.Out(part.body.size());
    parts_.deadlines.OnActivity();
    if (last) co_return result;
    if (!http::Splice::Pays(upstream.raw_body(), parts_.exchange.raw_response())) continue;
    const bool passed = co_await PassBody(result);
    if (passed) co_return result;
  }
}

// False: it can not, for want of a pipe.
Task<bool> Relay::PassBody(RelayResult& result) {
  http::Splice splice(parts_.upstream.raw_body(), parts_.exchange.raw_response());
  if (!splice.possible()) co_return false;
  while (splice.left() > 0) {
    const http::Splice::Moved moved = co_await splice.Move();
    parts_.upstream.TakenPast(moved.taken);
    parts_.exchange.SentPast(moved.sent);
    parts_.traffic.Out(moved.sent);
    if (moved.end != http::Splice::End::kMoved) {
      result = NotPassed(std::move(result), moved.end);
      break;
    }
    parts_.deadlines.OnActivity();
  }
  co_return true;
}

RelayResult Relay::NotPassed(RelayResult result, http::Splice::End end) {
  using How = http::Splice::End;
  if (end == How::kInterrupted) return ClientFailure(std::move(result), {Code::kCancelled, "interrupted"});
  if (end == How::kToBroken) {
    return ClientFailure(std::move(result), {Code::kUnavailable, "connection closed by the client"});
  }
  result.end = End::kBroken;
  result.error = {Code::kUnavailable, "connection closed before the end of the body"};
  return result;
}

// What makes a 101 no answer to the request; null: nothing does.
const char* Relay::WhyNoTunnel() const {
  const http::Exchange& exchange = parts_.exchange;
  if (!exchange.upgrade_requested()) return "it changed the protocol without being asked to";
  // Where the body ends and the tunnel begins, each side would see for itself.
  if (exchange.body_pending() || upload_.running())
    return "it changed the protocol within the request's body";
  const std::string_view asked = exchange.request().headers.Get("upgrade").value_or("");
  const std::string_view given = parts_.upstream.head().headers.Get("upgrade").value_or("");
  if (!http::ListHasToken(asked, given))
    return "it changed to another protocol than it was asked to";
  return nullptr;
}

Task<RelayResult> Relay::RelayTunnel() {
  RelayResult result;
  result.status = 101;
  if (const char* why = WhyNoTunnel()) {
    result.end = End::kNoResponse;
    result.error = {Code::kInternal, why};
    co_return result;
  }
  OnResponseBegins();
  RequestDeadlines& deadlines = parts_.deadlines;
  http::Part part{&parts_.upstream.head(), {}, false, nullptr};
  Status sent = co_await parts_.exchange.Send(part);
  if (sent) upload_.StartTunnel([&deadlines] { deadlines.OnActivity(); });
  while (sent && !part.last) {
    const Result<std::string_view> piece = co_await parts_.upstream.ReadBody();
    if (!piece) {
      result.error = piece.error();
      result.end = result.error.code == Code::kCancelled ? End::kInterrupted : End::kBroken;
      co_return result;
    }
    part = {nullptr, *piece, piece->empty(), nullptr};
    sent = co_await parts_.exchange.Send(part);
    if (sent) parts_.traffic.Out(part.body.size());
    deadlines.OnActivity();
  }
  if (!sent) co_return ClientFailure(result, sent.error());
  co_await upload_.WaitUntilDone();
  co_return result;
}

void Relay::OnResponseBegins() {
  std::string timing;
  const ColdStartTimes times = parts_.dispatcher.OnFirstByte(parts_.slot, RealClock().Wall());
  if (times.queued_ns != 0 && parts_.exchange.request().headers.Get("updraft-timing") == "1")
    timing = ServerTiming(times);
  CleanResponseHead(parts_.upstream.head(), timing);
  parts_.deadlines.OnResponseStart();
  parts_.deadlines.OnActivity();
}

RelayResult Relay::ClientFailure(RelayResult result, const Error& error) {
  result.end = error.code == Code::kCancelled ? End::kInterrupted : End::kClientFailed;
  result.error = error;
  return result;
}

}  // namespace updraft::activator
