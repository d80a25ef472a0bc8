// An HTTP/2 client for tests: sends frames as they are, right or wrong, and reads what comes back.
#pragma once

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/unit/core/http/raw_client.h"

namespace updraft::http {

inline constexpr uint8_t kEndStream = 1;
inline constexpr uint8_t kAck = 1;
inline constexpr uint8_t kEndHeaders = 4;
inline constexpr uint8_t kPadded = 8;
inline constexpr uint8_t kWithPriority = 0x20;

inline std::string Number(uint64_t number, int bytes) {
  std::string text;
  for (int i = bytes - 1; i >= 0; --i) text += static_cast<char>(number >> (8 * i) & 0xff);
  return text;
}
inline uint32_t NumberAt(std::string_view bytes, size_t at) {
  uint32_t number = 0;
  for (size_t i = at; i < at + 4; ++i) number = number << 8 | static_cast<uint8_t>(bytes[i]);
  return number;
}

inline std::string Frame(uint8_t type, uint8_t flags, uint32_t stream, std::string_view payload) {
  return Number(payload.size(), 3) + static_cast<char>(type) + static_cast<char>(flags) +
         Number(stream, 4) + std::string(payload);
}
inline std::string Setting(uint16_t id, uint32_t value) { return Number(id, 2) + Number(value, 4); }

// A type of its own, so that lists can be added.
struct FieldList : std::vector<std::pair<std::string, std::string>> {
  using vector::vector;
};

// A length of HPACK with a prefix of seven bits, no Huffman code.
inline std::string HpackLength(size_t length) {
  if (length < 127) return {static_cast<char>(length)};
  std::string text(1, 127);
  for (length -= 127; length >= 128; length /= 128) text += static_cast<char>(length % 128 + 128);
  return text + static_cast<char>(length);
}
// Each as a literal that is not indexed: no state on either side.
inline std::string Fields(const FieldList& fields) {
  std::string block;
  for (const auto& [name, value] : fields) {
    block += '\0';
    block += HpackLength(name.size()) + name + HpackLength(value.size()) + value;
  }
  return block;
}

inline FieldList RequestFields(const std::string& method = "GET", const std::string& path = "/") {
  return {{":method", method}, {":scheme", "http"}, {":path", path}, {":authority", "app.test"}};
}
inline FieldList operator+(FieldList fields, const FieldList& more) {
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}
inline std::string HeadersFrame(uint32_t stream, const FieldList& fields,
                                uint8_t flags = kEndStream | kEndHeaders) {
  return Frame(NGHTTP2_HEADERS, flags, stream, Fields(fields));
}
inline std::string DataFrame(uint32_t stream, std::string_view data, uint8_t flags = kEndStream) {
  return Frame(NGHTTP2_DATA, flags, stream, data);
}

// What has been seen of a connection.
struct Seen {
  std::map<uint32_t, int> statuses;  // by stream; interim ones not
  std::map<uint32_t, std::string> bodies;
  std::map<uint32_t, FieldList> fields;  // trailers behind the others
  std::map<uint32_t, uint32_t> resets;   // by stream: the code
  std::map<uint32_t, bool> ended;
  std::optional<uint32_t> goaway;  // the code of the last
  uint32_t last_stream = 0;        // as it says
  int ping_acks = 0;
  int settings_acks = 0;
  uint32_t streams_max = 0;
  uint32_t window = 65'535;              // of each stream at its start
  std::map<uint32_t, uint64_t> windows;  // by stream, 0 for all together: what has been added

  // How much may be sent on a stream that has sent `sent` bytes, as the only one.
  uint64_t Room(uint32_t stream, uint64_t sent) const {
    const auto added = [this](uint32_t of) { return windows.contains(of) ? windows.at(of) : 0; };
    return std::min(65'535 + added(0), window + added(stream)) - sent;
  }
  bool over(uint32_t stream) const { return ended.contains(stream) || resets.contains(stream); }
};

class RawHttp2 {
 public:
  static constexpr const char* kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

  explicit RawHttp2(uint16_t port, const std::string& settings = {})
      : RawHttp2(RawClient(port), settings) {}
  explicit RawHttp2(RawClient client, const std::string& settings = {})
      : client_(std::move(client)) {
    nghttp2_hd_inflater* made = nullptr;
    nghttp2_hd_inflate_new(&made);
    inflater_.reset(made);
    client_.Send(std::string(kPreface) + Frame(NGHTTP2_SETTINGS, 0, 0, settings));
  }

  bool Send(std::string_view bytes) { return client_.Send(bytes); }
  const Seen& seen() const { return seen_; }
  RawClient& client() { return client_; }

  // Reads one frame; false: the connection has ended, or nothing came for ten seconds.
  bool ReadFrame() {
    const std::string head = client_.ReadExactly(9);
    if (head.size() < 9) return false;
    const size_t size = NumberAt(head, 0) >> 8;
    const std::string payload = client_.ReadExactly(size);
    if (payload.size() < size) return false;
    Note(static_cast<uint8_t>(head[3]), static_cast<uint8_t>(head[4]), NumberAt(head, 5), payload);
    return true;
  }
  // Until `done` says so; false: the connection ended before.
  template <typename Done>
  bool ReadUntil(Done done) {
    while (!done(seen_)) {
      if (!ReadFrame()) return false;
    }
    return true;
  }
  bool ReadStream(uint32_t stream) {
    return ReadUntil([stream](const Seen& seen) { return seen.over(stream); });
  }
  // All that was sent has been handled.
  bool Ping() {
    client_.Send(Frame(NGHTTP2_PING, 0, 0, "fence..."));
    const int wanted = seen_.ping_acks + 1;
    return ReadUntil([wanted](const Seen& seen) { return seen.ping_acks >= wanted; });
  }

 private:
  struct DeleteInflater {
    void operator()(nghttp2_hd_inflater* inflater) const { nghttp2_hd_inflate_del(inflater); }
  };

  void Note(uint8_t type, uint8_t flags, uint32_t stream, const std::string& payload) {
    switch (type) {
      case NGHTTP2_DATA:
        seen_.bodies[stream] += payload;
        break;
      case NGHTTP2_HEADERS:
      case NGHTTP2_CONTINUATION:
        block_ += payload;
        if ((flags & kEndHeaders) != 0) NoteFields(stream);
        break;
      case NGHTTP2_RST_STREAM:
        seen_.resets[stream] = NumberAt(payload, 0);
        break;
      case NGHTTP2_SETTINGS:
        if ((flags & kAck) != 0) ++seen_.settings_acks;
        for (size_t at = 0; at + 6 <= payload.size(); at += 6) {
          if (payload[at + 1] == NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS)
            seen_.streams_max = NumberAt(payload, at + 2);
          if (payload[at + 1] == NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE)
            seen_.window = NumberAt(payload, at + 2);
        }
        if ((flags & kAck) == 0) client_.Send(Frame(NGHTTP2_SETTINGS, kAck, 0, {}));
        break;
      case NGHTTP2_WINDOW_UPDATE:
        seen_.windows[stream] += NumberAt(payload, 0);
        break;
      case NGHTTP2_PING:
        if ((flags & kAck) != 0) ++seen_.ping_acks;
        break;
      case NGHTTP2_GOAWAY:
        seen_.last_stream = NumberAt(payload, 0);
        seen_.goaway = NumberAt(payload, 4);
        break;
      default:
        break;
    }
    if ((type == NGHTTP2_DATA || type == NGHTTP2_HEADERS) && (flags & kEndStream) != 0)
      seen_.ended[stream] = true;
  }

  void NoteFields(uint32_t stream) {
    std::string block = std::exchange(block_, {});
    auto* at = reinterpret_cast<uint8_t*>(block.data());
    size_t left = block.size();
    while (true) {
      nghttp2_nv field;
      int flags = 0;
      const ssize_t used = nghttp2_hd_inflate_hd2(inflater_.get(), &field, &flags, at, left, 1);
      if (used < 0) return;
      at += used;
      left -= static_cast<size_t>(used);
      if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0) {
        const std::string name(reinterpret_cast<char*>(field.name), field.namelen);
        const std::string value(reinterpret_cast<char*>(field.value), field.valuelen);
        if (name == ":status" && value[0] != '1') seen_.statuses[stream] = std::stoi(value);
        seen_.fields[stream].emplace_back(name, value);
      }
      if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0) break;
    }
    nghttp2_hd_inflate_end_headers(inflater_.get());
  }

  RawClient client_;
  Seen seen_;
  std::string block_;
  std::unique_ptr<nghttp2_hd_inflater, DeleteInflater> inflater_;
};

}  // namespace updraft::http
