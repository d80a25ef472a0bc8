#include "controller/streaming/carrier.h"

#include <algorithm>
#include <utility>

namespace updraft::controller {
namespace {

constexpr size_t kQueuedBytesMax = 256 << 10;
constexpr size_t kMessageBytesMax = 1 << 20;
constexpr Nanos kAskAfter = Seconds(15);   // of silence
constexpr Nanos kGoneAfter = Seconds(60);  // of silence, asked several times

constexpr uint16_t kNormalClosure = 1000;
constexpr uint16_t kProtocolError = 1002;
constexpr uint16_t kTooLong = 1009;

Error Gone() { return {Code::kUnavailable, "the client is gone"}; }

}  // namespace

Carrier::Carrier(http::Exchange& exchange, Kind kind, std::string ping)
    : exchange_(exchange),
      kind_(kind),
      ping_(kind == Kind::kBytes ? std::move(ping)
                                 : WebSocketFrame(WebSocketMessage::Kind::kPing, "")),
      messages_(kMessageBytesMax),
      heard_(exchange.loop().Now()),
      asked_(heard_),
      work_(exchange.loop()),
      room_(exchange.loop()),
      done_(exchange.loop()) {}

http::Task<void> Carrier::WaitForWork() {
  const TimePoint ask_at = std::max(heard_, asked_) + kAskAfter;
  http::Task<bool> waiting = work_.WaitUntil(ask_at);
  const bool woken = co_await waiting;
  if (woken) co_return;
  const TimePoint now = loop().Now();
  if (now >= heard_ + kGoneAfter) {
    Cut();
    co_return;
  }
  if (now < std::max(heard_, asked_) + kAskAfter) co_return;
  asked_ = now;
  PutRaw(ping_);
}

http::Task<void> Carrier::WriteQueued() {
  bool good = true;
  while (good) {
    if (queued_.empty() && closing_) break;
    if (queued_.empty()) {
      http::Task<void> waiting = WaitForWork();
      co_await waiting;
      continue;
    }
    std::string bytes = std::exchange(queued_, {});
    room_.Notify();
    http::Task<Status> writing = exchange_.Write(std::move(bytes));
    const Status written = co_await writing;
    good = written.has_value();
  }
  if (good) {
    http::Task<Status> finishing = exchange_.Finish();
    [[maybe_unused]] const Status finished = co_await finishing;
  }
  closed_ = true;
  queued_.clear();
  room_.Notify();
  done_.Notify();
}

http::Task<Result<std::string>> Carrier::Read() {
  return kind_ == Kind::kBytes ? ReadBytes() : ReadMessage();
}

http::Task<Result<std::string>> Carrier::ReadBytes() {
  http::Task<Result<std::string>> reading = exchange_.ReadSome();
  Result<std::string> bytes = co_await reading;
  heard_ = loop().Now();
  if (bytes && bytes->empty()) co_return Gone();
  co_return bytes;
}

http::Task<Result<std::string>> Carrier::ReadMessage() {
  while (true) {
    Result<std::optional<WebSocketMessage>> message = messages_.Next();
    if (message && *message) {
      Result<std::optional<std::string>> data = Answer(**std::move(message));
      if (!data) co_return data.error();
      if (*data) co_return **std::move(data);
      continue;
    }
    if (!message) {
      const uint16_t code =
          message.error().code == Code::kResourceExhausted ? kTooLong : kProtocolError;
      if (!std::exchange(goodbye_, true))
        PutRaw(WebSocketCloseFrame(code, message.error().message));
      co_return message.error();
    }
    http::Task<Result<std::string>> reading = ReadBytes();
    const Result<std::string> bytes = co_await reading;
    if (!bytes) co_return bytes.error();
    messages_.Feed(*bytes);
  }
}

Result<std::optional<std::string>> Carrier::Answer(WebSocketMessage message) {
  switch (message.kind) {
    case WebSocketMessage::Kind::kText:
    case WebSocketMessage::Kind::kBinary:
      return std::optional(std::move(message.data));
    case WebSocketMessage::Kind::kPing:
      PutRaw(WebSocketFrame(WebSocketMessage::Kind::kPong, message.data));
      return std::optional<std::string>();
    case WebSocketMessage::Kind::kPong:
      return std::optional<std::string>();
    case WebSocketMessage::Kind::kClose:
      break;
  }
  if (!std::exchange(goodbye_, true))
    PutRaw(WebSocketFrame(WebSocketMessage::Kind::kClose, message.data));
  return Gone();
}

void Carrier::Put(std::string_view bytes) {
  if (kind_ == Kind::kBytes) return PutRaw(bytes);
  const bool text = kind_ == Kind::kTextMessages;
  PutRaw(WebSocketFrame(text ? WebSocketMessage::Kind::kText : WebSocketMessage::Kind::kBinary,
                        bytes));
}

void Carrier::PutRaw(std::string_view bytes) {
  if (closing_ || closed_) return;
  queued_ += bytes;
  work_.Notify();
}

http::Task<Status> Carrier::Room() {
  while (!closed_ && queued_.size() >= kQueuedBytesMax) {
    http::Task<void> waiting = room_.Wait();
    co_await waiting;
  }
  if (closed_) co_return Gone();
  co_return Ok();
}

http::Task<void> Carrier::Close() {
  if (kind_ != Kind::kBytes && !std::exchange(goodbye_, true))
    PutRaw(WebSocketCloseFrame(kNormalClosure, ""));
  closing_ = true;
  work_.Notify();
  while (!closed_) {
    http::Task<void> waiting = done_.Wait();
    co_await waiting;
  }
}

void Carrier::Cut() {
  exchange_.Interrupt();
  closing_ = true;
  work_.Notify();
}

}  // namespace updraft::controller
