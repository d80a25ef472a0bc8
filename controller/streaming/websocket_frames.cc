#include "controller/streaming/websocket_frames.h"

#include <openssl/evp.h>

#include <array>
#include <utility>

#include "core/base/check.h"

namespace updraft::controller {
namespace {

constexpr uint8_t kLast = 0x80;
constexpr uint8_t kReserved = 0x70;
constexpr uint8_t kMasked = 0x80;
constexpr uint8_t kContinuation = 0;
constexpr size_t kControlBytesMax = 125;
constexpr std::string_view kAcceptSuffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

uint64_t BigEndian(std::string_view bytes) {
  uint64_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<uint8_t>(c);
  return value;
}

bool IsControl(uint8_t opcode) { return opcode >= 8; }

bool IsKnown(uint8_t opcode) { return opcode <= 2 || (opcode >= 8 && opcode <= 10); }

Error Broken(const std::string& why) { return {Code::kInvalidArgument, "WebSocket: " + why}; }

}  // namespace

Result<std::optional<WebSocketReader::Frame>> WebSocketReader::PeekFrame() const {
  const std::string_view in = unread_;
  if (in.size() < 2) return std::optional<Frame>();
  const auto first = static_cast<uint8_t>(in[0]);
  const auto second = static_cast<uint8_t>(in[1]);
  Frame frame{.last = (first & kLast) != 0, .opcode = static_cast<uint8_t>(first & 0x0f)};
  if ((first & kReserved) != 0) return Broken("a reserved bit is set");
  if ((second & kMasked) == 0) return Broken("a client's frame is not masked");
  const uint8_t length = second & 0x7f;
  const size_t length_bytes = length == 127 ? 8 : length == 126 ? 2 : 0;
  frame.head_bytes = 2 + length_bytes + 4;
  if (in.size() < frame.head_bytes) return std::optional<Frame>();
  frame.data_bytes = length_bytes == 0 ? length : BigEndian(in.substr(2, length_bytes));
  return std::optional<Frame>(frame);
}

Status WebSocketReader::Check(const Frame& frame) const {
  if (!IsKnown(frame.opcode)) return Broken("unknown opcode");
  if (IsControl(frame.opcode)) {
    if (!frame.last || frame.data_bytes > kControlBytesMax)
      return Broken("a control frame in parts, or too long");
    return Ok();
  }
  if ((frame.opcode == kContinuation) != unfinished_.has_value())
    return Broken("messages are mixed");
  const size_t before = unfinished_ ? unfinished_->data.size() : 0;
  if (frame.data_bytes > bytes_max_ - before) {
    return Error{Code::kResourceExhausted,
                 "WebSocket: a message is longer than " + std::to_string(bytes_max_) + " bytes"};
  }
  return Ok();
}

std::string WebSocketReader::TakeData(const Frame& frame) {
  std::array<char, 4> mask{};
  unread_.copy(mask.data(), mask.size(), frame.head_bytes - mask.size());
  std::string data = unread_.substr(frame.head_bytes, frame.data_bytes);
  for (size_t i = 0; i < data.size(); ++i)
    data[i] = static_cast<char>(data[i] ^ mask[i % mask.size()]);
  unread_.erase(0, frame.head_bytes + frame.data_bytes);
  return data;
}

Result<std::optional<WebSocketMessage>> WebSocketReader::Next() {
  while (true) {
    const Result<std::optional<Frame>> frame = PeekFrame();
    if (!frame) return frame.error();
    if (!*frame) return std::optional<WebSocketMessage>();
    if (Status checked = Check(**frame); !checked) return checked.error();
    if (unread_.size() - (*frame)->head_bytes < (*frame)->data_bytes)
      return std::optional<WebSocketMessage>();
    std::string data = TakeData(**frame);
    if (IsControl((*frame)->opcode)) {
      return std::optional(WebSocketMessage{
          .kind = static_cast<WebSocketMessage::Kind>((*frame)->opcode), .data = std::move(data)});
    }
    if (!unfinished_) {
      unfinished_ = WebSocketMessage{.kind = static_cast<WebSocketMessage::Kind>((*frame)->opcode)};
    }
    unfinished_->data += data;
    if ((*frame)->last) return std::exchange(unfinished_, std::nullopt);
  }
}

std::string WebSocketFrame(WebSocketMessage::Kind kind, std::string_view data) {
  std::string frame;
  frame.reserve(data.size() + 10);
  frame += static_cast<char>(kLast | static_cast<uint8_t>(kind));
  const uint64_t size = data.size();
  if (size <= 125) {
    frame += static_cast<char>(size);
  } else {
    const int length_bytes = size <= 0xffff ? 2 : 8;
    frame += static_cast<char>(length_bytes == 2 ? 126 : 127);
    for (int i = length_bytes - 1; i >= 0; --i) frame += static_cast<char>(size >> (8 * i) & 0xff);
  }
  frame += data;
  return frame;
}

std::string WebSocketCloseFrame(uint16_t code, std::string_view reason) {
  std::string data{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
  data += reason.substr(0, kControlBytesMax - 2);
  return WebSocketFrame(WebSocketMessage::Kind::kClose, data);
}

std::string WebSocketAccept(std::string_view key) {
  const std::string text = std::string(key) + std::string(kAcceptSuffix);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  UPDRAFT_CHECK(EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr) ==
                1);
  return ToBase64({reinterpret_cast<const char*>(digest.data()), size});
}

std::string ToBase64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // and a zero
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                   reinterpret_cast<const unsigned char*>(bytes.data()),
                                   static_cast<int>(bytes.size()));
  text.resize(static_cast<size_t>(size));
  return text;
}

std::optional<std::string> FromBase64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::string bytes(text.size() / 4 * 3, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()),
                                   static_cast<int>(text.size()));
  if (size < 0) return std::nullopt;
  bytes.resize(static_cast<size_t>(size));
  for (size_t i = text.size(); i > 0 && text[i - 1] == '=' && text.size() - i < 2; --i)
    bytes.pop_back();
  return bytes;
}

}  // namespace updraft::controller
