// Frames of SPDY/3.1 as a server sees them: what kubectl's streams need, and no more. Flow control
// is not among it: its clients neither wait for windows nor open any. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "controller/streaming/spdy_headers.h"
#include "core/base/result.h"

namespace updraft::controller {

struct SpdyEvent {
  enum class Kind : uint8_t {
    kOpen,    // the client opens `stream`, with `headers`
    kData,    // `data` of `stream`, a frame's or a part of one
    kReset,   // the client gives up `stream`
    kPing,    // to be answered with the same `value`, if that is odd
    kGoAway,  // the client will open no more
    kOther,   // nothing that matters
  };

  Kind kind = Kind::kOther;
  uint32_t stream = 0;
  uint32_t value = 0;
  bool last = false;  // kOpen, kData: the client sends nothing more on the stream
  SpdyHeaders headers = {};
  std::string data = {};
};

class SpdyReader {
 public:
  void Feed(std::string_view bytes) { unread_.append(bytes); }
  // nullopt: more is needed. kInvalidArgument: this is not SPDY/3.1, or too much of it. Nothing may
  // follow an error.
  Result<std::optional<SpdyEvent>> Next();

 private:
  Result<std::optional<SpdyEvent>> NextControl();
  SpdyEvent NextData();
  Result<SpdyEvent> Decode(uint16_t type, uint8_t flags, std::string_view payload);

  SpdyInflater inflater_;
  std::string unread_;
  uint32_t data_stream_ = 0;
  uint32_t data_left_ = 0;  // of the data frame whose beginning was given out
  bool data_last_ = false;
};

// A server's frames.
class SpdyWriter {
 public:
  std::string Reply(uint32_t stream);  // accepts it
  static std::string Data(uint32_t stream, std::string_view data);
  static std::string End(uint32_t stream);  // the server sends nothing more on it
  static std::string Refuse(uint32_t stream);
  static std::string Ping(uint32_t value);

 private:
  SpdyDeflater deflater_;
};

}  // namespace updraft::controller
