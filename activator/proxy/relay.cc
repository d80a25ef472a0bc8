#include "activator/proxy/relay.h"

#include "activator/proxy/response_head.h"
#include "activator/proxy/upstream_head.h"
#include "activator/stats/cold_start.h"

namespace updraft::activator {
namespace {

using http::Task;
using End = RelayResult::End;

constexpr int kInterimResponsesMax = 32;

bool IsIdempotent(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS" || method == "TRACE" || method == "PUT" ||
         method == "DELETE";
}

RequestBody BodyKind(const http::Exchange& exchange) {
  const std::optional<uint64_t> length = exchange.body_length();
  if (!length) return RequestBody::kChunked;
  return *length == 0 ? RequestBody::kNone : RequestBody::kLength;
}

}  // namespace

Task<RelayResult> Relay::Run() {
  Status status = co_await SendRequest();
  const bool silent = !status && status.error().code == Code::kUnavailable && !nothing_written_;
  if (status || silent) {  // who stops listening may have answered before
    const Status sent = std::move(status);
    status = co_await ReadHead();
    if (!status && !sent) status = sent;
  }
  RelayResult result;
  if (!status) {
    result = HeadFailure(status.error());
  } else if (head_.status == 101) {
    result = co_await RelayTunnel();
  } else {
    result = co_await RelayResponse();
  }
  co_await upload_.Stop();
  if (upload_.client_error() && result.end != End::kComplete) {
    result.end = End::kClientFailed;
    result.error = *upload_.client_error();
  }
  co_return result;
}

// The head goes together with as much of the body as is there already.
Task<Status> Relay::SendRequest() {
  http::Exchange& exchange = parts_.exchange;
  TakenBody& body = parts_.body;
  std::string_view first = body.bytes;
  if (!body.taken && exchange.body_pending() && exchange.body_ready()) {
    const Result<std::string_view> piece = co_await exchange.ReadView();
    if (!piece) co_return piece.error();
    body.taken = true;
    first = *piece;
  }
  body.last = !exchange.body_pending();
  const bool chunked = BodyKind(exchange) == RequestBody::kChunked;
  parts_.upstream.Begin(exchange.request().method, chunked ? http::BodyFraming::kChunked : http::BodyFraming::kLength,
                        TimePoint::max());
  const std::string head = UpstreamHead();
  const http::Headers* trailers = body.last && chunked ? &exchange.trailers() : nullptr;
  const http::ClientConnection::Part part{head, first, body.last, trailers};
  const Status sent = co_await parts_.upstream.Send(part);
  if (!sent) {
    nothing_written_ = parts_.upstream.nothing_written();
    if (nothing_written_ && body.bytes.empty()) body.bytes = first;
    co_return sent;
  }
  if (!body.last) upload_.Start();
  co_return Ok();
}

std::string Relay::UpstreamHead() const {
  UpstreamHeadOptions options;
  options.body = BodyKind(parts_.exchange);
  options.upgrade = parts_.exchange.upgrade_requested();
  std::string head;
  head.reserve(1024);
  AppendUpstreamHead(parts_.exchange.request(), parts_.origin, options, head);
  return head;
}

// The response's own head; those before it (100, 103) are passed on.
Task<Status> Relay::ReadHead() {
  for (int interim = 0; interim <= kInterimResponsesMax; ++interim) {
    const Status read = co_await parts_.upstream.ReadHead(head_);
    if (!read) co_return read;
    if (head_.status == 101 && !parts_.exchange.upgrade_requested()) {
      co_return Error{Code::kInternal, "it changed the protocol without being asked to"};
    }
    if (head_.status >= 200 || head_.status == 101) co_return Ok();
    CleanResponseHead(head_, {});
    const http::Part part{&head_, {}, false, nullptr};
    (void)co_await parts_.exchange.Send(part);
    parts_.deadlines.OnActivity();
  }
  co_return Error{Code::kInternal, "too many interim responses"};
}

RelayResult Relay::HeadFailure(const Error& error) const {
  if (error.code == Code::kCancelled) return {End::kInterrupted, 0, error};
  if (MayRepeat()) return {End::kNotReceived, 0, error};
  return {End::kNoResponse, 0, error};
}

// A connection that was idle may have been closed just before the request was sent on it.
bool Relay::MayRepeat() const {
  if (!parts_.reused || parts_.upstream.answered()) return false;
  if (nothing_written_) return true;
  return !parts_.body.taken && !upload_.started() && IsIdempotent(parts_.exchange.request().method);
}

Task<RelayResult> Relay::RelayResponse() {
  http::ClientConnection& upstream = parts_.upstream;
  const ColdStartTimes times = parts_.dispatcher.OnFirstByte(parts_.slot, RealClock().Wall());
  CleanResponseHead(head_, ServerTimingValue(times));
  parts_.deadlines.OnResponseStart();
  RelayResult result;
  result.status = head_.status;
  const http::ResponseHead* head = &head_;
  while (true) {
    std::string_view piece;
    if (head == nullptr || upstream.body_ready()) {
      const Result<std::string_view> read = co_await upstream.ReadBody();
      if (!read) {
        result.end = read.error().code == Code::kCancelled ? End::kInterrupted : End::kBroken;
        if (head != nullptr && result.end == End::kBroken) result.end = End::kNoResponse;
        result.error = read.error();
        co_return result;
      }
      piece = *read;
    }
    const bool last = upstream.body_done();
    const http::Headers* trailers = last && !upstream.trailers().empty() ? &upstream.trailers() : nullptr;
    const http::Part part{head, piece, last, trailers};
    head = nullptr;
    const Status sent = co_await parts_.exchange.Send(part);
    if (!sent) {
      result.end = sent.error().code == Code::kCancelled ? End::kInterrupted : End::kClientFailed;
      result.error = sent.error();
      co_return result;
    }
    parts_.deadlines.OnActivity();
    if (last) co_return result;
  }
}

Task<RelayResult> Relay::RelayTunnel() {
  RequestDeadlines& deadlines = parts_.deadlines;
  (void)parts_.dispatcher.OnFirstByte(parts_.slot, RealClock().Wall());
  CleanResponseHead(head_, {});
  deadlines.OnResponseStart();
  deadlines.OnActivity();
  RelayResult result;
  result.status = head_.status;
  const http::Part head_part{&head_, {}, false, nullptr};
  Status sent = co_await parts_.exchange.Send(head_part);
  if (sent) upload_.StartTunnel([&deadlines] { deadlines.OnActivity(); });
  while (sent) {
    const Result<std::string_view> piece = co_await parts_.upstream.ReadBody();
    if (!piece) {
      result.end = piece.error().code == Code::kCancelled ? End::kInterrupted : End::kBroken;
      result.error = piece.error();
      co_return result;
    }
    const http::Part part{nullptr, *piece, piece->empty(), nullptr};
    sent = co_await parts_.exchange.Send(part);
    deadlines.OnActivity();
    if (sent && part.last) {
      co_await upload_.WaitUntilDone();
      co_return result;
    }
  }
  result.end = sent.error().code == Code::kCancelled ? End::kInterrupted : End::kClientFailed;
  result.error = sent.error();
  co_return result;
}

std::string Relay::ServerTimingValue(const ColdStartTimes& times) const {
  if (parts_.exchange.request().headers.Get("updraft-timing") != "1") return {};
  return ServerTiming(times);
}

}  // namespace updraft::activator
