#include "core/http/http1_exchange.h"

#include "core/http/output.h"
#include "core/http/serialize.h"

namespace updraft::http {
namespace {

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

// Memory for the bytes of one head, used up before anyone waits.
std::string& HeadText() {
  thread_local std::string text;
  text.clear();
  return text;
}

// Fields that belong to the connection, not to the response: written by us alone.
bool IsOurs(std::string_view name) {
  return (name.size() == 10 && (EqualsIgnoreCase(name, "connection") || EqualsIgnoreCase(name, "keep-alive"))) ||
         (name.size() == 17 && EqualsIgnoreCase(name, "transfer-encoding"));
}

bool IsBodiless(const RequestHead& request, int status) {
  return status == 204 || status == 304 || request.method == "HEAD";
}

std::optional<uint64_t> StatedLength(const Headers& headers) {
  const std::optional<std::string_view> text = headers.Get("content-length");
  if (!text) return std::nullopt;
  uint64_t length = 0;
  for (const char c : *text) length = length * 10 + static_cast<uint64_t>(c - '0');
  return length;
}

}  // namespace

Http1Exchange::Http1Exchange(Input& input, const RequestHead& request, const Framing& framing,
                             const std::string& peer, const ServerOptions& options, bool keep_alive)
    : Exchange(input.stream().loop(), request, peer),
      input_(input),
      stream_(input.stream()),
      framing_(framing),
      options_(options),
      body_(input, framing),
      keep_alive_(keep_alive && framing.keep_alive),
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
  if (mode_ == Mode::kTunnel) co_return co_await ReadRaw(input_);
  if (continue_pending_ && !body_.done()) {
    continue_pending_ = false;
    ResponseHead head;
    head.status = 100;
    const Status sent = co_await SendInterim(head);
    if (!sent) co_return sent.error();
  }
  const TimePoint deadline = BodyDeadline();
  co_return co_await body_.Read(deadline);
}

Task<Status> Http1Exchange::Send(Part part) {
  if (aborted_ || finished_) co_return Error{Code::kFailedPrecondition, "the response has ended"};
  if (part.head != nullptr && part.head->status < 200 && part.head->status != 101) {
    co_return co_await SendInterim(*part.head);
  }
  std::string& out = HeadText();
  if (part.head != nullptr) Start(*part.head, part, out);
  const Status fits = CheckBody(part);
  if (!fits) {
    Abort();
    co_return fits;
  }
  Pieces pieces;
  pieces.Add(out);
  const ChunkLine line(part.body.size());
  const bool chunk = mode_ == Mode::kChunked && !part.body.empty();
  if (chunk) pieces.Add(line.text());
  if (mode_ != Mode::kNoBody) pieces.Add(part.body);
  if (chunk) pieces.Add("\r\n");
  std::string ending;
  if (part.last && mode_ == Mode::kChunked) {
    if (part.trailers == nullptr) {
      pieces.Add("0\r\n\r\n");
    } else {
      ending = "0\r\n";
      for (const Header header : *part.trailers) AppendField(ending, header.name, header.value);
      pieces.Add(ending.append("\r\n"));
    }
  }
  if (part.last) finished_ = true;
  const IoState state = pieces.WriteNow(stream_);
  if (part.last && mode_ == Mode::kTunnel && state == IoState::kOk) stream_.FinishWriting();
  if (state == IoState::kOk) co_return Ok();
  Status written = Error{Code::kUnavailable, "connection closed by the client"};
  if (state == IoState::kBlocked) {
    std::string rest = pieces.Rest();
    written = co_await WriteRest(stream_, std::move(rest), options_.write_timeout);
    if (written && part.last && mode_ == Mode::kTunnel) stream_.FinishWriting();
  }
  if (!written) {
    keep_alive_ = false;
    aborted_ = true;
  }
  co_return written;
}

// Decides how the response is framed, and writes its head.
void Http1Exchange::Start(const ResponseHead& head, const Part& part, std::string& out) {
  if (head.status == 101) {
    mode_ = Mode::kTunnel;
    keep_alive_ = false;
    AppendHead(head, out);
    out.append("Connection: Upgrade\r\n\r\n");
    return;
  }
  const std::optional<uint64_t> stated = StatedLength(head.headers);
  const bool add_length = !stated && part.last && !(part.body.empty() && IsBodiless(request(), head.status));
  if (IsBodiless(request(), head.status)) {
    mode_ = Mode::kNoBody;
  } else if (stated || part.last) {
    mode_ = Mode::kLength;
    left_ = stated.value_or(part.body.size());
  } else {
    mode_ = request().minor_version == 1 ? Mode::kChunked : Mode::kUntilClose;
  }
  if (mode_ == Mode::kUntilClose || !body_.done() || head.headers.HasToken("connection", "close")) keep_alive_ = false;

  AppendHead(head, out);
  if (add_length && head.status != 204) {
    out.append("Content-Length: ");
    AppendNumber(out, part.body.size());
    out.append("\r\n");
  }
  if (mode_ == Mode::kChunked) out.append("Transfer-Encoding: chunked\r\n");
  if (!keep_alive_) out.append("Connection: close\r\n");
  if (keep_alive_ && request().minor_version == 0) out.append("Connection: keep-alive\r\n");
  out.append("\r\n");
}

void Http1Exchange::AppendHead(const ResponseHead& head, std::string& out) const {
  AppendStatusLine(out, head.status);
  bool dated = head.status == 101;
  for (const Header header : head.headers) {
    if (IsOurs(header.name)) continue;
    if (header.name.size() == 4 && EqualsIgnoreCase(header.name, "date")) dated = true;
    AppendField(out, header.name, header.value);
  }
  if (dated) return;
  const int64_t seconds = UnixNanos(RealClock().Wall()) / 1'000'000'000;
  AppendField(out, "Date", HttpDate(seconds));
}

// A body that is not as long as its head said would be taken for the next response.
Status Http1Exchange::CheckBody(const Part& part) {
  if (mode_ == Mode::kNotStarted) return Error{Code::kFailedPrecondition, "no response was started"};
  if (mode_ != Mode::kLength) return Ok();
  if (part.body.size() > left_) return Error{Code::kInternal, "response body longer than its Content-Length"};
  left_ -= part.body.size();
  if (part.last && left_ > 0) return Error{Code::kInternal, "response body shorter than its Content-Length"};
  return Ok();
}

Task<Status> Http1Exchange::SendInterim(const ResponseHead& head) {
  if (request().minor_version == 0 || started()) co_return Ok();
  continue_pending_ = false;
  std::string text;
  if (head.status == 100) {
    text = kContinue;
  } else {
    AppendStatusLine(text, head.status);
    for (const Header header : head.headers) AppendField(text, header.name, header.value);
    text.append("\r\n");
  }
  co_return co_await WriteRest(stream_, std::move(text), options_.write_timeout);
}

void Http1Exchange::Abort() {
  // Only a reset tells a client that reads until the end that this is not the end.
  if (mode_ == Mode::kUntilClose || mode_ == Mode::kTunnel) stream_.ResetOnClose();
  keep_alive_ = false;
  aborted_ = true;
}

}  // namespace updraft::http
