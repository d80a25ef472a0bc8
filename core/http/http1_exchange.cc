#include "core/http/http1_exchange.h"

#include "core/http/date.h"
#include "core/http/output.h"
#include "core/http/response_facts.h"

namespace updraft::http {
namespace {

// Fields that belong to the connection, not to the response: written by us alone.
constexpr FieldNames kOurs =
    In(FieldName::kConnection) | In(FieldName::kKeepAlive) | In(FieldName::kTransferEncoding);

// Some clients would wait for a body behind a 1xx or 204 that states a length.
constexpr FieldNames kOursWithoutBody = kOurs | In(FieldName::kContentLength);

}  // namespace

Http1Exchange::Http1Exchange(Input& input, const RequestHead& request, const Framing& framing,
                             const ConnectionInfo& connection, const ServerOptions& options,
                             const bool& draining)
    : Exchange(input.stream().loop(), request, connection),
      input_(input),
      stream_(input.stream()),
      framing_(framing),
      options_(options),
      draining_(draining),
      body_(input, framing),
      keep_alive_(framing.keep_alive),
      continue_pending_(framing.expect_continue) {
  if (stream_.hung_up()) ClientIsGone();
}

std::optional<uint64_t> Http1Exchange::body_length() const {
  if (framing_.body == BodyFraming::kNone) return 0;
  if (framing_.body == BodyFraming::kLength) return framing_.length;
  return std::nullopt;
}

TimePoint Http1Exchange::BodyDeadline() const {
  if (options_.body_timeout == Nanos::max()) return TimePoint::max();
  return loop().Now() + options_.body_timeout;
}

Task<Result<std::string_view>> Http1Exchange::ReadView() {
  if (mode_ == Mode::kTunnel) return ReadRaw(input_);
  if (continue_pending_ && !body_.done()) return ReadAfterContinue();
  return body_.Read(BodyDeadline());
}

Task<Result<std::string_view>> Http1Exchange::ReadAfterContinue() {
  ResponseHead head;
  head.status = 100;
  const Status sent = co_await SendInterim(head);
  if (!sent) co_return sent.error();
  const TimePoint deadline = BodyDeadline();
  co_return co_await body_.Read(deadline);
}

// A coroutine only where it must wait: what the kernel takes at once costs no frame.
Task<Status> Http1Exchange::Send(Part part) {
  if (aborted_ || finished_)
    return Failed({Code::kFailedPrecondition, "the response has ended"});
  if (part.head != nullptr && part.head->status < 200 && part.head->status != 101)
    return SendInterim(*part.head);
  thread_local HeadBuffer buffer;
  HeadWriter out(buffer);
  if (part.head != nullptr) Start(*part.head, part, out);
  const Status fits = CheckBody(part);
  if (!fits) {
    Abort();
    return Failed(fits.error());
  }
  finished_ = part.last;
  const size_t head_size = out.written().size();
  std::optional<ChunkLine> line;
  const bool chunk = mode_ == Mode::kChunked && !part.body.empty();
  if (chunk) line.emplace(part.body.size());
  if (chunk) out.Literal("\r\n");
  if (part.last && mode_ == Mode::kChunked) WriteLastChunk(part.trailers, out);
  Pieces pieces;
  pieces.Add(out.written().substr(0, head_size));
  if (line) pieces.Add(line->text());
  if (mode_ != Mode::kNoBody) pieces.Add(part.body);
  pieces.Add(out.written().substr(head_size));
  const bool shut = part.last && mode_ == Mode::kTunnel;

  const IoState state = pieces.WriteNow(stream_);
  if (state == IoState::kBlocked) return FinishSending(pieces.Rest(), shut);
  if (state != IoState::kOk) {
    Cut();
    return Failed({Code::kUnavailable, "connection closed by the client"});
  }
  if (shut) stream_.FinishWriting();
  return Task<Status>::Ended();
}

// Time limits of our own are not for who moves bytes past us.
RawBody Http1Exchange::raw_body() {
  if (mode_ == Mode::kTunnel || continue_pending_ || options_.body_timeout != Nanos::max()) return {};
  return body_.raw();
}

RawBody Http1Exchange::raw_response() {
  const bool open = mode_ == Mode::kLength && !finished_ && !aborted_;
  if (!open || !stream_.plain() || options_.write_timeout != Nanos::max()) return {};
  return {&stream_, left_};
}

void Http1Exchange::SentPast(uint64_t bytes) {
  left_ -= bytes;
  finished_ = left_ == 0;
}

Task<Status> Http1Exchange::FinishSending(std::string rest, bool shut) {
  Status written = co_await WriteRest(stream_, std::move(rest), options_.write_timeout);
  if (!written) {
    Cut();
  } else if (shut) {
    stream_.FinishWriting();
  }
  co_return written;
}

Task<Status> Http1Exchange::Failed(Error error) { co_return error; }

// Decides how the response is framed, and writes its head.
void Http1Exchange::Start(const ResponseHead& head, const Part& part, HeadWriter& out) {
  const ResponseFacts stated = FactsOf(head.headers);
  const bool bodiless = IsBodiless(request(), head.status);
  const bool with_trailers = part.trailers != nullptr && request().minor_version == 1;
  if (head.status == 101) {
    mode_ = Mode::kTunnel;
  } else if (bodiless) {
    mode_ = Mode::kNoBody;
  } else if (stated.length || (part.last && !with_trailers)) {
    mode_ = Mode::kLength;
    left_ = stated.length.value_or(part.body.size());
  } else {
    mode_ = request().minor_version == 1 ? Mode::kChunked : Mode::kUntilClose;
  }
  if (mode_ == Mode::kTunnel || mode_ == Mode::kUntilClose || !body_.done() || stated.close ||
      draining_)
    keep_alive_ = false;

  out.StatusLine(head.status);
  const bool no_length = head.status == 101 || head.status == 204;
  const FieldNames left_out = no_length ? kOursWithoutBody : kOurs;
  out.Fields(head.headers, [left_out](const NamedHeader& header) { return !header.Is(left_out); });
  if (head.status == 101) {
    out.Literal("Connection: Upgrade\r\n\r\n");
    return;
  }
  if (!stated.date) out.Field("Date", HttpDate(RealClock().Wall()));
  const bool of_head =
      bodiless && !part.body.empty() && head.status != 204;  // as GET would have it
  const bool add_length = !stated.length && (mode_ == Mode::kLength || of_head);
  if (add_length) {
    out.Literal("Content-Length: ");
    out.Number(part.body.size());
    out.Literal("\r\n");
  }
  if (mode_ == Mode::kChunked) out.Literal("Transfer-Encoding: chunked\r\n");
  if (!keep_alive_) out.Literal("Connection: close\r\n");
  if (keep_alive_ && request().minor_version == 0) out.Literal("Connection: keep-alive\r\n");
  out.Literal("\r\n");
}

void Http1Exchange::WriteLastChunk(const Headers* trailers, HeadWriter& out) {
  out.Literal("0\r\n");
  if (trailers != nullptr) out.Fields(*trailers, [](const Header&) { return true; });
  out.Literal("\r\n");
}

// A body that is not as long as its head said would be taken for the next response.
Status Http1Exchange::CheckBody(const Part& part) {
  if (mode_ == Mode::kNotStarted)
    return Error{Code::kFailedPrecondition, "no response was started"};
  if (mode_ != Mode::kLength) return Ok();
  if (part.body.size() > left_)
    return Error{Code::kInternal, "response body longer than its Content-Length"};
  left_ -= part.body.size();
  if (part.last && left_ > 0)
    return Error{Code::kInternal, "response body shorter than its Content-Length"};
  return Ok();
}

Task<Status> Http1Exchange::SendInterim(const ResponseHead& head) {
  if (request().minor_version == 0 || started()) co_return Ok();
  if (head.status == 100) continue_pending_ = false;
  HeadBuffer buffer;
  HeadWriter out(buffer);
  out.StatusLine(head.status);
  out.Fields(head.headers,
             [](const NamedHeader& header) { return !header.Is(kOursWithoutBody); });
  out.Literal("\r\n");
  std::string text(out.written());
  co_return co_await WriteRest(stream_, std::move(text), options_.write_timeout);
}

void Http1Exchange::Abort() {
  // Only a reset tells a client that reads until the end that this is not the end.
  if (mode_ == Mode::kUntilClose || mode_ == Mode::kTunnel) stream_.ResetOnClose();
  Cut();
}

}  // namespace updraft::http
