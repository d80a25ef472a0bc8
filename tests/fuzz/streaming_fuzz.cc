// What clients send over upgraded connections: SPDY/3.1 and WebSocket frames. Read in one piece and
// in bytes they are the same, and nothing is made of them that is larger than its bounds.
#include <cstdint>
#include <string>

#include "controller/streaming/spdy_frames.h"
#include "controller/streaming/websocket_frames.h"
#include "core/base/check.h"

namespace updraft::fuzz {
namespace {

constexpr size_t kMessageBytesMax = 1000;
constexpr size_t kHeaderBytesMax = 16 << 10;

// What the reader makes of `bytes`, given `piece` at a time. Pieces of one stream's data are put
// together again.
std::string ReadSpdy(std::string_view bytes, size_t piece) {
  controller::SpdyReader reader;
  std::string text;
  uint32_t data_of = 0;
  for (size_t at = 0; at < bytes.size(); at += piece) {
    reader.Feed(bytes.substr(at, piece));
    while (true) {
      const auto event = reader.Next();
      if (!event) return text + "!";
      if (!*event) break;
      size_t header_bytes = 0;
      for (const auto& [name, value] : (*event)->headers)
        header_bytes += name.size() + value.size();
      UPDRAFT_CHECK(header_bytes <= kHeaderBytesMax);
      const bool data = (*event)->kind == controller::SpdyEvent::Kind::kData;
      if (!data || (*event)->stream != data_of || (*event)->data.empty())
        text += "|" + std::to_string((*event)->stream);
      data_of = data && !(*event)->last ? (*event)->stream : 0;
      text += (*event)->data;
      if ((*event)->last) text += "<";
    }
  }
  return text;
}

std::string ReadWebSocket(std::string_view bytes, size_t piece) {
  controller::WebSocketReader reader(kMessageBytesMax);
  std::string text;
  for (size_t at = 0; at < bytes.size(); at += piece) {
    reader.Feed(bytes.substr(at, piece));
    while (true) {
      const auto message = reader.Next();
      if (!message) return text + "!";
      if (!*message) break;
      UPDRAFT_CHECK((*message)->data.size() <= kMessageBytesMax);
      text += std::to_string(static_cast<int>((*message)->kind)) + (*message)->data + "|";
    }
  }
  return text;
}

}  // namespace
}  // namespace updraft::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const size_t whole = size == 0 ? 1 : size;
  UPDRAFT_CHECK(updraft::fuzz::ReadSpdy(bytes, whole) == updraft::fuzz::ReadSpdy(bytes, 1));
  UPDRAFT_CHECK(updraft::fuzz::ReadWebSocket(bytes, whole) ==
                updraft::fuzz::ReadWebSocket(bytes, 1));
  const auto decoded = updraft::controller::FromBase64(bytes);
  UPDRAFT_CHECK(updraft::controller::FromBase64(updraft::controller::ToBase64(bytes)) == bytes);
  UPDRAFT_CHECK(!decoded || decoded->size() <= bytes.size());
  return 0;
}
