#include "core/http/http2_exchange.h"

#include <charconv>
#include <random>

#include "core/http/bytes.h"
#include "core/http/date.h"
#include "core/http/response_facts.h"

namespace updraft::http {
namespace {

constexpr size_t kUsualHeadBytes = 2048;
constexpr Nanos kEndStallMax =
    Seconds(60);  // for a response's last bytes, once its handler has gone

// As a client of HTTP/1.1 chooses one: 16 bytes in base64. It proves that a server understood the
// request and is no secret.
std::string WebSocketKey() {
  constexpr std::string_view digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  thread_local std::minstd_rand random(std::random_device{}());
  std::string key;
  for (int i = 0; i < 21; ++i) key += digits[random() >> 8 & 63];
  key += "AQgw"[random() >> 8 & 3];
  return key + "==";
}

std::optional<uint64_t> ToNumber(std::string_view text) {
  uint64_t number = 0;
  const char* const end = text.data() + text.size();
  if (std::from_chars(text.data(), end, number).ptr != end) return std::nullopt;
  return number;
}

}  // namespace

void Http2ComingHead::Clear() {
  if (bytes > kUsualHeadBytes) {
    *this = {};
    return;
  }
  authority.clear();
  protocol.clear();
  cookies.clear();
  headers.Clear();
  bytes = 0;
}

Http2Exchange::Http2Exchange(Http2Session& session, int32_t id, const ConnectionInfo& connection,
                             const ServerOptions& options, Http2ComingHead& coming,
                             Http2HeadObserver& observer)
    : Exchange(session.loop(), head_, connection),
      Http2Stream(session),
      options_(options),
      observer_(observer),
      coming_(coming) {
  SetId(id);
  coming_.Clear();
}

// ---- the request's head

void Http2Exchange::OnField(std::string_view name, std::string_view value) {
  size_t& bytes = head_done_ ? trailer_bytes_ : coming_.bytes;
  bytes += name.size() + value.size() + 4;
  if (bytes > kHeadBytesMax || (!head_done_ && coming_.headers.size() >= kFieldsMax))
    return Refuse(431, "the request's head is too large");
  if (head_done_) return AddTrailer(name, value);
  if (name.starts_with(':')) return OnPseudoField(name, value);
  switch (name.size()) {
    case 4:
      if (name == "host") {
        has_host_ = true;
        if (coming_.authority.empty()) coming_.authority = value;
        if (!EqualsIgnoreCase(coming_.authority, value)) Refuse(400, "host and :authority differ");
        return;
      }
      break;
    case 6:
      if (name == "cookie") {
        if (!coming_.cookies.empty()) coming_.cookies.append("; ");
        coming_.cookies.append(value);
        return;
      }
      if (name == "expect") {
        if (!EqualsIgnoreCase(value, "100-continue")) return Refuse(417, "unknown expectation");
        continue_expected_ = continue_pending_ = true;
      }
      break;
    case 14:
      if (name == "content-length") body_length_ = ToNumber(value);
      break;
    default:
      break;
  }
  coming_.headers.Add(name, value);
}

// nghttp2 has seen to it that each comes once, and before all others.
void Http2Exchange::OnPseudoField(std::string_view name, std::string_view value) {
  if (name == ":method") {
    head_.method = value;
  } else if (name == ":path") {
    if (value.size() > kTargetBytesMax) return Refuse(414, "the request's target is too long");
    head_.target = value;
  } else if (name == ":authority") {
    coming_.authority = value;
  } else if (name == ":protocol") {
    coming_.protocol = value;
  }
}

void Http2Exchange::Refuse(int status, std::string_view reason) {
  if (!refusal_) refusal_ = {status, reason};
}

void Http2Exchange::EndFields(bool end) {
  if (head_done_) return;
  head_done_ = true;
  if (end) body_length_ = 0;
  CheckHead(end);
  if (!refusal_) FinishHead();
  coming_.Clear();
  observer_.OnWhole(*this);
}

void Http2Exchange::CheckHead(bool end) {
  if (head_.method == "CONNECT" && coming_.protocol != "websocket")
    return Refuse(coming_.protocol.empty() ? 405 : 501, "only WebSockets can be had by CONNECT");
  if (head_.method == "CONNECT" && end) return Refuse(400, "a WebSocket that ends as it begins");
  const bool origin =
      head_.target.starts_with('/') || (head_.target == "*" && head_.method == "OPTIONS");
  if (!origin || !AllOf(head_.target, kTargetByte)) return Refuse(400, "bad :path");
  if (!IsAuthority(coming_.authority)) return Refuse(400, "bad :authority");
}

void Http2Exchange::FinishHead() {
  coming_.headers.Add("host", coming_.authority);
  if (!coming_.cookies.empty()) coming_.headers.Add("cookie", coming_.cookies);
  if (!coming_.protocol.empty()) BecomeUpgrade();
  head_.headers = coming_.headers;
}

void Http2Exchange::BecomeUpgrade() {
  upgrade_ = true;
  head_.method = "GET";
  coming_.headers.Add("connection", "Upgrade");
  coming_.headers.Add("upgrade", coming_.protocol);
  if (!coming_.headers.Has("sec-websocket-key"))
    coming_.headers.Add("sec-websocket-key", WebSocketKey());
}

void Http2Exchange::OnReset() {
  lost_ = true;
  ClientIsGone();
}

// ---- its body

TimePoint Http2Exchange::Deadline(Nanos limit) const {
  return limit == Nanos::max() ? TimePoint::max() : loop().Now() + limit;
}

Task<Result<std::string_view>> Http2Exchange::ReadView() {
  if (continue_pending_ && !body_read()) return ReadAfterContinue();
  return ReadPiece(upgrade_ ? TimePoint::max() : Deadline(options_.body_timeout));
}

Task<Result<std::string_view>> Http2Exchange::ReadAfterContinue() {
  ResponseHead head;
  head.status = 100;
  const Status sent = co_await SendInterim(head);
  if (!sent) co_return sent.error();
  const TimePoint deadline = Deadline(options_.body_timeout);
  co_return co_await ReadPiece(deadline);
}

// ---- the response

Task<Status> Http2Exchange::Send(Part part) {
  if (aborted_ || finished_) co_return Error{Code::kFailedPrecondition, "the response has ended"};
  if (closed()) co_return LostError();
  if (part.head != nullptr && part.head->status < 200 && part.head->status != 101)
    co_return co_await SendInterim(*part.head);
  if (part.head != nullptr) Submit(*part.head, part);
  if (!started_) co_return Error{Code::kFailedPrecondition, "no response was started"};
  if (no_body_) {
    finished_ = part.last;
    session().Pack();
    co_return Ok();
  }
  if (!TakeFromLength(part)) {
    Abort();
    co_return Error{Code::kInternal, "response body not as long as its content-length"};
  }
  finished_ = part.last;
  const TimePoint deadline = Deadline(options_.write_timeout);
  const Status sent = co_await SendPiece(part.body, part.last, part.trailers, deadline);
  if (!sent) aborted_ = true;
  co_return sent;
}

// A body that is not as long as its head said is an error to the client, or worse.
bool Http2Exchange::TakeFromLength(const Part& part) {
  if (!left_) return true;
  if (part.body.size() > *left_ || (part.last && part.body.size() < *left_)) return false;
  *left_ -= part.body.size();
  return true;
}

void Http2Exchange::Submit(const ResponseHead& head, const Part& part) {
  started_ = true;
  const ResponseFacts facts = FactsOf(head.headers);
  const bool bodiless = IsBodiless(request(), head.status);
  const bool with_trailers = part.trailers != nullptr && !part.trailers->empty();
  no_body_ = bodiless || (part.last && part.body.empty() && !with_trailers && head.status != 101);
  char status[3];
  char length[20];
  const int shown = head.status == 101 ? 200 : head.status;
  std::to_chars(status, status + 3, shown);
  Http2Fields fields;
  fields.Add(":status", {status, 3});
  if (!facts.date) fields.Add("date", HttpDate(RealClock().Wall()));
  const bool add_length = !facts.length && part.last && !with_trailers && head.status != 204 &&
                          head.status != 101 && !(bodiless && part.body.empty());
  if (add_length) {
    const char* const end = std::to_chars(length, length + sizeof length, part.body.size()).ptr;
    fields.Add("content-length", {length, static_cast<size_t>(end - length)});
  }
  // Some clients take a length for an error where there is no body.
  const bool no_length = head.status == 204 || head.status == 101;
  fields.AddAll(head.headers,
                no_length ? Http2Fields::Length::kLeftOut : Http2Fields::Length::kKept);
  const nghttp2_data_provider provider = Provider();
  nghttp2_submit_response(session().raw(), id(), fields.data(), fields.size(),
                          no_body_ ? nullptr : &provider);
  if (no_body_) EndOutgoing();
  if (!no_body_ && head.status != 101) left_ = facts.length;
}

Task<Status> Http2Exchange::SendInterim(const ResponseHead& head) {
  if (started_) co_return Ok();
  if (head.status == 100) continue_pending_ = false;
  char status[3];
  std::to_chars(status, status + 3, head.status);
  Http2Fields fields;
  fields.Add(":status", {status, 3});
  fields.AddAll(head.headers, Http2Fields::Length::kLeftOut);
  nghttp2_submit_headers(session().raw(), NGHTTP2_FLAG_NONE, id(), nullptr, fields.data(),
                         fields.size(), nullptr);
  session().Pack();
  co_return Ok();
}

void Http2Exchange::Abort() {
  aborted_ = true;
  Reset(NGHTTP2_INTERNAL_ERROR);
}

Task<void> Http2Exchange::Conclude() {
  if (!finished()) {
    if (!aborted_ || !closed()) Abort();
    co_return;
  }
  const TimePoint deadline = loop().Now() + kEndStallMax;
  co_await EndSent(deadline);
  // A client that still sends is told to stop; its response is whole (RFC 9113, 8.1).
  if (!closed() && !Http2Stream::body_read()) Reset(NGHTTP2_NO_ERROR);
}

}  // namespace updraft::http
