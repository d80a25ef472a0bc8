#include "core/http/http2_client.h"

#include <algorithm>
#include <utility>

namespace updraft::http {
namespace {

// What a usual response needs.
constexpr size_t kUsualResponseFields = 10;
constexpr size_t kUsualResponseBytes = 320;

}  // namespace

// ---- the connection

Result<std::shared_ptr<Http2ClientConnection>> Http2ClientConnection::Start(Loop& loop,
                                                                            const SocketAddress& address,
                                                                            Nanos connect_timeout) {
  Result<UniqueFd> socket = StartConnecting(address);
  if (!socket) return socket.error();
  auto stream = std::make_unique<Stream>(loop, *std::move(socket));
  auto input = std::make_unique<Input>(*stream);
  auto made = std::make_shared<Http2ClientConnection>(std::move(stream), std::move(input));
  made->scope_.Spawn(made->Live(loop.Now() + connect_timeout));
  return made;
}

Http2ClientConnection::Http2ClientConnection(std::unique_ptr<Stream> stream, std::unique_ptr<Input> input)
    : Http2Session(Role::kClient, *input, {}),
      owned_stream_(std::move(stream)),
      owned_input_(std::move(input)),
      idle_since_(owned_stream_->loop().Now()) {}

Http2ClientConnection::~Http2ClientConnection() = default;

Task<void> Http2ClientConnection::Live(TimePoint connect_deadline) {
  const WaitEnd wait = co_await stream().Writable(connect_deadline);
  Status connected = Error{Code::kDeadlineExceeded, "connect timed out"};
  if (wait == WaitEnd::kReady) connected = ConnectOutcome(stream().fd());
  if (!connected) {
    End(connected.error());
    co_return;
  }
  state_ = State::kOpen;
  OpenOutput();
  for (updraft::RingLink* link = open_exchanges_.next; link != &open_exchanges_; link = link->next)
    static_cast<Http2ClientExchange*>(link)->incoming().Open();
  co_await ReadFrames();
  End({Code::kUnavailable, "connection closed"});
}

Task<void> Http2ClientConnection::ReadFrames() {
  while (!Http2Session::over()) {
    const WaitEnd wait = co_await stream().Readable(TimePoint::max());
    if (wait != WaitEnd::kReady) co_return;
    const bool alive = ReadOnce();
    Pack();
    if (!alive) co_return;
  }
}

void Http2ClientConnection::End(Error why) {
  state_ = State::kOver;
  why_over_ = std::move(why);
  FlushNow();  // what we have to say of the end
  BreakOff();
  stream().FinishWriting();
  for (updraft::RingLink* link = open_exchanges_.next; link != &open_exchanges_; link = link->next)
    static_cast<Http2ClientExchange*>(link)->Lose();
}

bool Http2ClientConnection::has_room() const {
  if (state_ == State::kOver || nghttp2_session_check_request_allowed(raw()) == 0) return false;
  return exchanges_ < nghttp2_session_get_remote_settings(raw(), NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
}

void Http2ClientConnection::OnNotSent(int32_t id) {
  for (updraft::RingLink* link = open_exchanges_.next; link != &open_exchanges_; link = link->next) {
    auto* const exchange = static_cast<Http2ClientExchange*>(link);
    if (exchange->id() != id) continue;
    exchange->never_sent_ = true;
    exchange->Close(NGHTTP2_REFUSED_STREAM);
    return;
  }
}

void Http2ClientConnection::Enter(Http2ClientExchange& exchange) {
  exchange.AppendTo(open_exchanges_);
  ++exchanges_;
}

void Http2ClientConnection::Leave(Http2ClientExchange& exchange) {
  exchange.Unlink();
  proven_ |= exchange.answered();
  if (--exchanges_ == 0) idle_since_ = loop().Now();
}

// ---- an exchange

Http2ClientExchange::Http2ClientExchange(std::shared_ptr<Http2ClientConnection> connection)
    : Http2Stream(*connection), connection_(std::move(connection)) {
  coming_.headers.Reserve(kUsualResponseFields, kUsualResponseBytes);
  connection_->Enter(*this);
}

Http2ClientExchange::~Http2ClientExchange() { connection_->Leave(*this); }

Task<Status> Http2ClientExchange::Connected() {
  using State = Http2ClientConnection::State;
  while (connection_->state_ == State::kConnecting && !interrupted()) {
    Gate::Wait wait(incoming(), TimePoint::max());
    (void)co_await wait;
  }
  if (connection_->state_ == State::kOpen) co_return Ok();
  if (connection_->state_ == State::kOver) co_return connection_->why_over_;
  co_return Error{Code::kCancelled, "interrupted"};
}

void Http2ClientExchange::Begin(std::string_view, BodyFraming, TimePoint deadline) { deadline_ = deadline; }

Task<Status> Http2ClientExchange::Send(Part part) {
  if (!submitted_) {
    if (connection_->over()) co_return Error{Code::kUnavailable, "connection closed by the server"};
    submitted_ = true;
    Http2Fields fields;
    for (const Header& field : part.fields) fields.Add(field.name, field.value);
    const bool whole = part.last && part.body.empty() && (part.trailers == nullptr || part.trailers->empty());
    const nghttp2_data_provider provider = Provider();
    const int32_t id = nghttp2_submit_request(session().raw(), nullptr, fields.data(), fields.size(),
                                              whole ? nullptr : &provider, static_cast<Http2Stream*>(this));
    if (id < 0) {
      never_sent_ = true;
      co_return Error{Code::kUnavailable, "the server takes no more requests on this connection"};
    }
    SetId(id);
    if (whole) {
      EndOutgoing();
      session().Pack();
      co_return Ok();
    }
  }
  co_return co_await SendPiece(part.body, part.last, part.trailers, deadline_);
}

Task<Status> Http2ClientExchange::ReadHead() {
  bool timely = true;
  while (heads_.empty()) {
    if (interrupted()) co_return Error{Code::kCancelled, "interrupted"};
    if (too_large_) co_return Error{Code::kInternal, "the response's head is too large"};
    if (closed()) co_return LostError();
    if (!timely) co_return Error{Code::kDeadlineExceeded, "no response in time"};
    Gate::Wait wait(incoming(), deadline_);
    timely = co_await wait;
  }
  head_ = std::move(heads_.front());
  heads_.erase(heads_.begin());
  co_return Ok();
}

bool Http2ClientExchange::not_received() const {
  return !submitted_ || never_sent_ || (closed() && error() == NGHTTP2_REFUSED_STREAM);
}

void Http2ClientExchange::OnField(std::string_view name, std::string_view value) {
  head_bytes_ += name.size() + value.size() + 4;
  if (head_bytes_ > kHeadBytesMax || coming_.headers.size() >= kFieldsMax) {
    too_large_ = true;
    return;
  }
  if (head_done_) {
    AddTrailer(name, value);
  } else if (name == ":status") {
    // Three digits: nghttp2 has seen to that.
    coming_.status = (value[0] - '0') * 100 + (value[1] - '0') * 10 + (value[2] - '0');
  } else {
    coming_.headers.Add(name, value);
  }
}

void Http2ClientExchange::EndFields(bool) {
  answered_ = true;
  head_bytes_ = 0;
  if (!head_done_ && !too_large_) {
    head_done_ = coming_.status >= 200;
    heads_.push_back(std::exchange(coming_, {}));
  }
  incoming().Open();
}

}  // namespace updraft::http
