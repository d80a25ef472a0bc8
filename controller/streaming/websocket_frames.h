// The messages of a WebSocket as a server sees them (RFC 6455), without extensions. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace updraft::controller {

struct WebSocketMessage {
  // As on the wire.
  enum class Kind : uint8_t { kText = 1, kBinary = 2, kClose = 8, kPing = 9, kPong = 10 };

  Kind kind = Kind::kBinary;
  std::string data = {};  // of kClose: the code and the reason
};

// Takes a client's bytes as they come.
class WebSocketReader {
 public:
  // `bytes_max`: of one message, however many frames it has.
  explicit WebSocketReader(size_t bytes_max) : bytes_max_(bytes_max) {}

  void Feed(std::string_view bytes) { unread_.append(bytes); }
  // The next whole message; nullopt: more is needed. kInvalidArgument: the client breaks the
  // protocol; kResourceExhausted: its message is too long. Nothing may follow an error.
  Result<std::optional<WebSocketMessage>> Next();

 private:
  struct Frame {
    bool last = false;
    uint8_t opcode = 0;
    size_t head_bytes = 0;
    uint64_t data_bytes = 0;
  };

  Result<std::optional<Frame>> PeekFrame() const;
  Status Check(const Frame& frame) const;
  std::string TakeData(const Frame& frame);

  const size_t bytes_max_;
  std::string unread_;
  std::optional<WebSocketMessage> unfinished_;  // of a message in several frames
};

// A server's frame with a whole message.
std::string WebSocketFrame(WebSocketMessage::Kind kind, std::string_view data);
// A server's close frame; `code` as RFC 6455, 7.4.1 has it.
std::string WebSocketCloseFrame(uint16_t code, std::string_view reason);

// What a handshake with this Sec-WebSocket-Key is answered with.
std::string WebSocketAccept(std::string_view key);

// Base64 with padding. Decoding: nullopt for what is none.
std::string ToBase64(std::string_view bytes);
std::optional<std::string> FromBase64(std::string_view text);

}  // namespace updraft::controller
