#include "controller/streaming/spdy_frames.h"

#include <algorithm>
#include <utility>

namespace updraft::controller {
namespace {

constexpr uint16_t kVersion = 3;
constexpr size_t kHeadBytes = 8;
constexpr size_t kControlFrameBytesMax = 32 << 10;
constexpr uint8_t kFin = 1;
constexpr uint32_t kRefusedStream = 3;

enum Type : uint16_t {
  kSynStream = 1,
  kSynReply = 2,
  kRstStream = 3,
  kPing = 6,
  kGoAway = 7,
  kHeaders = 8,
};

uint32_t Number(std::string_view bytes) {
  uint32_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<uint8_t>(c);
  return value;
}

void Append(std::string& out, uint32_t number, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
    out += static_cast<char>(number >> shift & 0xff);
}

std::string Control(uint16_t type, std::string_view payload) {
  std::string frame;
  Append(frame, 0x8000U | kVersion, 2);
  Append(frame, type, 2);
  Append(frame, static_cast<uint32_t>(payload.size()), 4);  // no flags
  frame += payload;
  return frame;
}

std::string DataHead(uint32_t stream, uint8_t flags, size_t size) {
  std::string frame;
  frame.reserve(kHeadBytes + size);
  Append(frame, stream, 4);
  Append(frame, flags, 1);
  Append(frame, static_cast<uint32_t>(size), 3);
  return frame;
}

Error BrokenSpdy(const std::string& why) { return {Code::kInvalidArgument, "SPDY: " + why}; }

}  // namespace

Result<std::optional<SpdyEvent>> SpdyReader::Next() {
  if (data_left_ > 0) {
    if (unread_.empty()) return std::optional<SpdyEvent>();
    return std::optional(NextData());
  }
  if (unread_.size() < kHeadBytes) return std::optional<SpdyEvent>();
  if ((static_cast<uint8_t>(unread_[0]) & 0x80) != 0) return NextControl();
  const std::string_view head = unread_;
  data_stream_ = Number(head.substr(0, 4));
  data_last_ = (static_cast<uint8_t>(head[4]) & kFin) != 0;
  data_left_ = Number(head.substr(5, 3));
  unread_.erase(0, kHeadBytes);
  if (data_left_ == 0 || !unread_.empty()) return std::optional(NextData());
  return std::optional<SpdyEvent>();
}

SpdyEvent SpdyReader::NextData() {
  SpdyEvent event{.kind = SpdyEvent::Kind::kData, .stream = data_stream_};
  const size_t size = std::min<size_t>(data_left_, unread_.size());
  event.data = unread_.substr(0, size);
  unread_.erase(0, size);
  data_left_ -= static_cast<uint32_t>(size);
  event.last = data_left_ == 0 && data_last_;
  return event;
}

Result<std::optional<SpdyEvent>> SpdyReader::NextControl() {
  const std::string_view head = unread_;
  const uint32_t version = Number(head.substr(0, 2)) & 0x7fff;
  const auto type = static_cast<uint16_t>(Number(head.substr(2, 2)));
  const auto flags = static_cast<uint8_t>(head[4]);
  const uint32_t size = Number(head.substr(5, 3));
  if (version != kVersion)
    return BrokenSpdy("version " + std::to_string(version) + " is not spoken here");
  if (size > kControlFrameBytesMax) return BrokenSpdy("a frame is too large");
  if (unread_.size() - kHeadBytes < size) return std::optional<SpdyEvent>();
  Result<SpdyEvent> event = Decode(type, flags, head.substr(kHeadBytes, size));
  if (!event) return event.error();
  unread_.erase(0, kHeadBytes + size);
  return std::optional(std::move(*event));
}

Result<SpdyEvent> SpdyReader::Decode(uint16_t type, uint8_t flags, std::string_view payload) {
  SpdyEvent event;
  // Every block has to be unpacked: what follows it refers to it.
  const bool has_block = type == kSynStream || type == kSynReply || type == kHeaders;
  const size_t fixed = type == kSynStream ? 10 : type == kRstStream || type == kGoAway ? 8 : 4;
  if (type != kSynStream && !has_block && type != kRstStream && type != kPing && type != kGoAway)
    return event;
  if (payload.size() < fixed) return BrokenSpdy("a frame is too short");
  if (has_block) {
    Result<SpdyHeaders> headers = inflater_.Decode(payload.substr(fixed));
    if (!headers) return headers.error();
    event.headers = std::move(*headers);
  }
  event.stream = Number(payload.substr(0, 4)) & 0x7fffffff;
  event.last = (flags & kFin) != 0;
  if (type == kSynStream) event.kind = SpdyEvent::Kind::kOpen;
  if (type == kRstStream) event.kind = SpdyEvent::Kind::kReset;
  if (type == kGoAway) event.kind = SpdyEvent::Kind::kGoAway;
  if (type == kPing) {
    event.kind = SpdyEvent::Kind::kPing;
    event.value = Number(payload.substr(0, 4));
  }
  return event;
}

std::string SpdyWriter::Reply(uint32_t stream) {
  std::string payload;
  Append(payload, stream, 4);
  payload += deflater_.Encode({});
  return Control(kSynReply, payload);
}

std::string SpdyWriter::Data(uint32_t stream, std::string_view data) {
  std::string frame = DataHead(stream, 0, data.size());
  frame += data;
  return frame;
}

std::string SpdyWriter::End(uint32_t stream) { return DataHead(stream, kFin, 0); }

std::string SpdyWriter::Refuse(uint32_t stream) {
  std::string payload;
  Append(payload, stream, 4);
  Append(payload, kRefusedStream, 4);
  return Control(kRstStream, payload);
}

std::string SpdyWriter::Ping(uint32_t value) {
  std::string payload;
  Append(payload, value, 4);
  return Control(kPing, payload);
}

}  // namespace updraft::controller
