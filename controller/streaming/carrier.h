// The bytes of an exchange that was upgraded: as they are, or as the messages of a WebSocket. One
// coroutine reads, any may write; a task of its own writes what is queued, and asks a client that
// is silent whether it is still there. Loop thread only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "controller/streaming/websocket_frames.h"
#include "core/base/result.h"
#include "core/http/exchange.h"
#include "core/http/sync.h"
#include "core/http/task.h"

namespace updraft::controller {

class Carrier {
 public:
  enum class Kind : uint8_t { kBytes, kBinaryMessages, kTextMessages };

  // `ping`: bytes that any client answers; a WebSocket has its own. The exchange must outlive it.
  Carrier(http::Exchange& exchange, Kind kind, std::string ping);
  Carrier(const Carrier&) = delete;
  Carrier& operator=(const Carrier&) = delete;

  // Writes until Close() or the client is gone. For a scope that ends before the carrier.
  http::Task<void> WriteQueued();

  // The next bytes, at least one, or the next message. kUnavailable: the client is gone, or says
  // goodbye; kInvalidArgument, kResourceExhausted: it breaks the protocol; kCancelled: after Cut().
  http::Task<Result<std::string>> Read();

  // Queues some bytes, or a message.
  void Put(std::string_view bytes);
  // Waits until there is room for more. kUnavailable: the client is gone.
  http::Task<Status> Room();

  // Writes what is queued, and the end. Returns when that is done, or cannot be.
  http::Task<void> Close();
  // Ends every wait for the client.
  void Cut();

  Loop& loop() const { return exchange_.loop(); }

 private:
  http::Task<void> WaitForWork();
  http::Task<Result<std::string>> ReadBytes();
  http::Task<Result<std::string>> ReadMessage();
  Result<std::optional<std::string>> Answer(WebSocketMessage message);
  void PutRaw(std::string_view bytes);

  http::Exchange& exchange_;
  const Kind kind_;
  const std::string ping_;
  WebSocketReader messages_;
  std::string queued_;
  bool closing_ = false;
  bool closed_ = false;   // nothing more is written
  bool goodbye_ = false;  // a close frame was sent
  TimePoint heard_;
  TimePoint asked_;
  http::Signal work_;
  http::Signal room_;
  http::Signal done_;
};

}  // namespace updraft::controller
