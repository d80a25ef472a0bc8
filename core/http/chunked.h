// Bodies in chunks. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/http/message.h"
#include "core/http/parser.h"

namespace updraft::http {

class ChunkDecoder {
 public:
  struct Decoded {
    std::string_view body;  // inside the bytes that were given
    size_t consumed = 0;    // of them; all unless the body ended
  };

  // Takes the framing out of `bytes`, in place: payloads move together. Stops behind the body's
  // end. After refusal() nothing more can be decoded.
  Decoded Decode(std::span<char> bytes);

  bool done() const { return state_ == State::kDone; }
  Refusal refusal() const { return refusal_; }
  // Complete once done().
  const Headers& trailers() const { return trailers_; }

 private:
  enum class State : uint8_t {
    kSizeStart,
    kSize,
    kExtensionStart,
    kExtensionName,
    kExtensionValueStart,
    kExtensionValue,
    kExtensionQuoted,
    kExtensionEscaped,
    kExtensionEnd,
    kSizeEnd,
    kPayload,
    kPayloadCr,
    kPayloadLf,
    kTrailers,
    kDone
  };

  bool OnFramingByte(char c);
  bool OnSizeByte(char c);
  bool OnExtensionByte(char c);
  bool EndExtension(char c);
  bool OnTrailerByte(char c);
  bool Refuse(std::string_view reason);

  State state_ = State::kSizeStart;
  uint8_t digits_ = 0;
  uint32_t extension_bytes_ = 0;
  uint64_t left_ = 0;  // of the chunk's payload
  std::string trailer_text_;
  HeadScanner trailer_scanner_;
  Headers trailers_;
  Refusal refusal_;
};

// The line that goes before a chunk of `size` bytes; "\r\n" goes behind it.
class ChunkLine {
 public:
  explicit ChunkLine(uint64_t size);
  std::string_view text() const { return {text_ + start_, sizeof text_ - start_}; }

 private:
  char text_[18];
  size_t start_ = sizeof text_;
};

}  // namespace updraft::http
