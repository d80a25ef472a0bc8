#include "core/http/http2_connection.h"

#include <utility>

#include "core/http/linger.h"

namespace updraft::http {
namespace {

// Streams that we have to reset because the client breaks rules: as many as it may itself reset,
// for both cost the same (CVE-2023-44487, CVE-2025-8671).
constexpr uint32_t kInvalidFramesMax = 1000;
constexpr Nanos kInvalidFramesSpan = Seconds(30);
// What one turn of the loop takes of a connection: after so many new streams the others have theirs. Frames are handled in
// pieces of a size that cannot hold many more.
constexpr uint32_t kStreamsPerTurnMax = 64;
constexpr size_t kPieceBytes = 4 << 10;
constexpr Nanos kFarewellTime = Seconds(2);

}  // namespace

Http2Connection::Http2Connection(ServerContext& context, Input& input, const ConnectionInfo& info)
    : Http2Session(Role::kServer, input, {.streams_max = context.options.http2_streams_max}),
      context_(context),
      info_(info),
      idle_since_(context.loop.Now()),
      invalid_since_(idle_since_),
      all_served_(context.loop) {
  stream().set_hangup_observer(this);
}

Http2Connection::~Http2Connection() { stream().set_hangup_observer(nullptr); }

Task<void> Http2Connection::Serve(std::string_view preface) {
  OpenOutput();
  if (context_.draining) Drain();
  bool alive = preface.empty() || Receive(preface);
  if (alive && input().has_unread()) alive = HandleUnread();
  StartWhatIsWhole();
  Pack();
  if (alive) co_await ReadFrames();
  LoseAll();
  while (serving_.linked()) {
    Gate::Wait wait(all_served_, TimePoint::max());
    (void)co_await wait;
  }
  co_await SayFarewell();
}

Task<void> Http2Connection::ReadFrames() {
  while (!over()) {
    const TimePoint deadline = Deadline();
    const bool enough = input().has_unread() || opened_in_turn_ >= kStreamsPerTurnMax;
    if (enough || !stream().readable()) opened_in_turn_ = 0;
    const Stream::Wait turn = enough ? stream().NextTurn() : stream().Readable(deadline);
    reading_ = true;
    const WaitEnd wait = co_await turn;
    reading_ = false;
    if (wait == WaitEnd::kInterrupted) co_return;
    if (wait == WaitEnd::kTimeout) {
      if (loop().Now() < Deadline()) continue;  // there has been something to do meanwhile
      nghttp2_session_terminate_session(raw(), NGHTTP2_NO_ERROR);
      Pack();
      co_return;
    }
    if (stream().broken()) co_return;  // nobody is left for what it still sent
    const bool alive = (input().has_unread() || FillOnce()) && HandleUnread();
    StartWhatIsWhole();
    Pack();
    if (!alive || (drained_ && !serving_.linked())) co_return;
  }
}

// As much as one turn may take; at least a piece.
bool Http2Connection::HandleUnread() {
  bool alive = true;
  do {
    const std::span<char> bytes = input().Take(kPieceBytes);
    alive = bytes.empty() || Receive({bytes.data(), bytes.size()});
  } while (alive && input().has_unread() && opened_in_turn_ < kStreamsPerTurnMax);
  input().ReleaseKept();
  return alive;
}

// When the connection has been idle, or one request's fields have taken, for too long.
TimePoint Http2Connection::Deadline() const {
  if (opening_ != nullptr) return opened_ + context_.options.head_timeout;
  if (!serving_.linked()) return idle_since_ + context_.options.idle_timeout;
  return loop().Now() + context_.options.idle_timeout;
}

Http2Stream* Http2Connection::OnNewStream(int32_t id) {
  opening_ = std::make_unique<Http2Exchange>(*this, id, info_, context_.options, coming_, *this);
  opened_ = loop().Now();
  ++opened_in_turn_;
  return opening_.get();
}

void Http2Connection::StartWhatIsWhole() {
  if (opening_ != nullptr && opening_->closed()) opening_.reset();
  for (auto& exchange : std::exchange(whole_, {})) scope_.Spawn(ServeStream(std::move(exchange)));
}

void Http2Connection::OnWhole(Http2Exchange& exchange) {
  if (opening_.get() == &exchange) whole_.push_back(std::move(opening_));
}

Task<void> Http2Connection::ServeStream(std::unique_ptr<Http2Exchange> exchange) {
  exchange->AppendTo(serving_);
  if (exchange->refusal()) {
    const Refusal refusal = exchange->refusal();
    co_await Answer(*exchange, refusal.status, refusal.reason);
  } else if (!exchange->closed()) {
    co_await context_.handler(*exchange);
    exchange->HandlerEnded();
    if (!exchange->started() && !exchange->client_gone())
      co_await Answer(*exchange, 500, "no answer was given");
  }
  co_await exchange->Conclude();
  exchange.reset();
  if (serving_.linked()) co_return;
  idle_since_ = loop().Now();
  all_served_.Open();
  FinishIfDrained();
}

Task<void> Http2Connection::Answer(Http2Exchange& exchange, int status, std::string_view text) {
  Headers headers{{"content-type", "text/plain; charset=utf-8"}};
  std::string body = std::string(text) + "\n";
  (void)co_await exchange.Respond(status, std::move(headers), std::move(body));
}

void Http2Connection::LoseAll() {
  opening_.reset();
  whole_.clear();
  for (RingLink* link = serving_.next; link != &serving_; link = link->next)
    static_cast<Http2Exchange*>(link)->Lose();
}

// What we last said, an error perhaps, must not be lost in a reset.
Task<void> Http2Connection::SayFarewell() {
  if (broken() || stream().broken()) co_return;
  stream().Resume();
  FlushNow();
  if (!writing()) co_await Linger(input(), kFarewellTime);
}

void Http2Connection::OnInvalidFrame() {
  const TimePoint now = loop().Now();
  if (now - invalid_since_ > kInvalidFramesSpan) {
    invalid_since_ = now;
    invalid_frames_ = 0;
  }
  if (++invalid_frames_ == kInvalidFramesMax)
    nghttp2_session_terminate_session(raw(), NGHTTP2_ENHANCE_YOUR_CALM);
}

void Http2Connection::OnHangup() {
  if (stream().broken()) LoseAll();
}

// The client is told twice: that it should open no more streams, and, once it must have heard that,
// which was the last that is served (RFC 9113, 6.8).
void Http2Connection::Drain() {
  nghttp2_submit_shutdown_notice(raw());
  nghttp2_submit_ping(raw(), NGHTTP2_FLAG_NONE, nullptr);
  Pack();
}

void Http2Connection::OnPingAck() {
  if (!context_.draining || drained_) return;
  drained_ = true;
  nghttp2_submit_goaway(raw(), NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(raw()),
                        NGHTTP2_NO_ERROR, nullptr, 0);
}

void Http2Connection::FinishIfDrained() {
  if (drained_ && !serving_.linked() && reading_ && !writing()) stream().Interrupt();
}

}  // namespace updraft::http
