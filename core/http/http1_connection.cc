#include "core/http/http1_connection.h"

#include <utility>
#include <vector>

#include "core/http/head_writer.h"
#include "core/http/linger.h"
#include "core/http/output.h"

namespace updraft::http {
namespace {

constexpr Nanos kLingerTime = Seconds(2);

// The memory of a request's fields goes from one request of the thread to the next.
class FieldMemory {
 public:
  explicit FieldMemory(Headers& headers) : headers_(headers) {
    std::vector<Headers>& spare = Spare();
    if (spare.empty()) return;
    headers = std::move(spare.back());
    spare.pop_back();
  }
  ~FieldMemory() {
    std::vector<Headers>& spare = Spare();
    if (spare.size() == kSpareMax || headers_.memory() > kSpareBytesMax) return;
    headers_.Clear();
    spare.push_back(std::move(headers_));
  }
  FieldMemory(const FieldMemory&) = delete;
  FieldMemory& operator=(const FieldMemory&) = delete;

 private:
  static constexpr size_t kSpareMax = 256;
  static constexpr size_t kSpareBytesMax = 4096;

  static std::vector<Headers>& Spare() {
    thread_local std::vector<Headers> spare;
    return spare;
  }

  Headers& headers_;
};

}  // namespace

Http1Connection::Http1Connection(ServerContext& context, Input& input, const ConnectionInfo& info)
    : context_(context), input_(input), stream_(input.stream()), info_(info) {
  stream_.set_hangup_observer(this);
}

Http1Connection::~Http1Connection() { stream_.set_hangup_observer(nullptr); }

Task<Http1Connection::End> Http1Connection::Serve() {
  bool first = true;
  Next then = Next::kRequest;
  while (then == Next::kRequest && !context_.closing) {
    idle_ = true;
    const TimePoint idle_deadline = context_.loop.Now() + context_.options.idle_timeout;
    HeadReading reading(input_, idle_deadline, context_.options.head_timeout);
    while (!reading.ended()) {
      const TimePoint deadline = reading.deadline();
      const WaitEnd wait = co_await stream_.Readable(deadline);
      reading.GoOn(wait);
    }
    const HeadRead& read = reading.result();
    idle_ = false;
    then = Next::kClose;
    if (read.end == HeadRead::End::kHead) {
      if (first && read.head == kHttp2Head) co_return End::kHttp2;
      then = co_await ServeRequest(read.head);
      first = false;
    } else if (read.end == HeadRead::End::kRefused) {
      co_await Refuse(read.refusal);
      then = Next::kLinger;
    } else if (read.end == HeadRead::End::kSlow) {
      const Refusal slow{408, "the request's head took too long"};
      co_await Refuse(slow);
    }
  }
  if (then == Next::kLinger) co_await Linger(input_, kLingerTime);
  co_return End::kClose;
}

Task<Http1Connection::Next> Http1Connection::ServeRequest(std::string_view head_text) {
  RequestHead request;
  const FieldMemory memory(request.headers);
  Framing framing;
  const Refusal refusal = ParseRequestHead(head_text, request, framing);
  if (refusal) {
    co_await Refuse(refusal);
    co_return Next::kLinger;
  }
  Http1Exchange exchange(input_, request, framing, info_, context_.options, context_.draining);
  exchange_ = &exchange;
  co_await context_.handler(exchange);
  exchange.HandlerEnded();
  if (!exchange.started() && !exchange.client_gone() && !stream_.interrupted())
    co_await AnswerForHandler(exchange);
  exchange_ = nullptr;
  if (!exchange.finished()) {
    exchange.Abort();
    co_return Next::kClose;
  }
  if (exchange.body_pending()) co_return Next::kLinger;
  co_return exchange.keep_alive() ? Next::kRequest : Next::kClose;
}

Task<void> Http1Connection::AnswerForHandler(Http1Exchange& exchange) {
  Headers headers{{"Content-Type", "text/plain; charset=utf-8"}};
  std::string body = "no answer was given\n";
  (void)co_await exchange.Respond(500, std::move(headers), std::move(body));
}

Task<void> Http1Connection::Refuse(Refusal refusal) {
  HeadBuffer buffer;
  HeadWriter out(buffer);
  out.StatusLine(refusal.status);
  out.Literal("Content-Type: text/plain; charset=utf-8\r\nConnection: close\r\nContent-Length: ");
  out.Number(refusal.reason.size() + 1);
  out.Literal("\r\n\r\n");
  out.Text(refusal.reason);
  out.Literal("\n");
  std::string text(out.written());
  (void)co_await WriteRest(stream_, std::move(text), context_.options.write_timeout);
}

void Http1Connection::CloseIdle() {
  if (idle_) stream_.Interrupt();
}

void Http1Connection::OnHangup() {
  if (exchange_ != nullptr) exchange_->OnHangup();
}

}  // namespace updraft::http
