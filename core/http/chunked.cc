#include "core/http/chunked.h"

#include <algorithm>
#include <cstring>

#include "core/http/bytes.h"

namespace updraft::http {
namespace {

constexpr uint8_t kDigitsMax = 15;  // below 2^60
constexpr uint32_t kExtensionBytesMax =
    4096;  // of a whole body: extensions carry nothing, and cost time
constexpr size_t kTrailerBytesMax = 8 << 10;

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

ChunkDecoder::Decoded ChunkDecoder::Decode(std::span<char> bytes) {
  size_t in = 0;
  size_t out = 0;
  size_t first = 0;  // where the first payload lies: a single one is not moved
  while (in < bytes.size() && state_ != State::kDone && !refusal_) {
    if (state_ != State::kPayload) {
      if (!OnFramingByte(bytes[in])) break;
      ++in;
      continue;
    }
    const size_t size = std::min<uint64_t>(left_, bytes.size() - in);
    if (out == 0) {
      first = in;
    } else if (first + out != in) {
      std::memmove(bytes.data() + first + out, bytes.data() + in, size);
    }
    in += size;
    out += size;
    left_ -= size;
    if (left_ == 0) state_ = State::kPayloadCr;
  }
  return {{bytes.data() + first, out}, in};
}

bool ChunkDecoder::OnFramingByte(char c) {
  switch (state_) {
    case State::kSizeStart:
    case State::kSize:
      return OnSizeByte(c);
    case State::kExtensionStart:
    case State::kExtensionName:
    case State::kExtensionValueStart:
    case State::kExtensionValue:
    case State::kExtensionQuoted:
    case State::kExtensionEscaped:
    case State::kExtensionEnd:
      return OnExtensionByte(c);
    case State::kSizeEnd:
      if (c != '\n') return Refuse("malformed chunk size line");
      state_ = left_ == 0 ? State::kTrailers : State::kPayload;
      return true;
    case State::kPayloadCr:
      if (c != '\r') return Refuse("chunk longer than its size");
      state_ = State::kPayloadLf;
      return true;
    case State::kPayloadLf:
      if (c != '\n') return Refuse("chunk longer than its size");
      state_ = State::kSizeStart;
      digits_ = 0;
      return true;
    case State::kTrailers:
      return OnTrailerByte(c);
    case State::kPayload:
    case State::kDone:
      return true;
  }
  return true;
}

bool ChunkDecoder::OnSizeByte(char c) {
  const int digit = HexDigit(c);
  if (digit >= 0) {
    if (++digits_ > kDigitsMax) return Refuse("chunk size too large");
    left_ = left_ * 16 + static_cast<uint64_t>(digit);
    state_ = State::kSize;
    return true;
  }
  if (state_ == State::kSizeStart) return Refuse("malformed chunk size");
  return EndExtension(c) || Refuse("malformed chunk size");
}

// name, name=token or name="quoted"; ";" between. They are dropped, but two parsers must not see
// their end in different places.
bool ChunkDecoder::OnExtensionByte(char c) {
  if (c != '\r' && ++extension_bytes_ > kExtensionBytesMax)
    return Refuse("chunk extensions too long");
  const bool token = IsByte(c, kTokenByte);
  switch (state_) {
    case State::kExtensionStart:
      state_ = State::kExtensionName;
      return token || Refuse("malformed chunk extension");
    case State::kExtensionName:
      if (c == '=') {
        state_ = State::kExtensionValueStart;
        return true;
      }
      return token || EndExtension(c) || Refuse("malformed chunk extension");
    case State::kExtensionValueStart:
      state_ = c == '"' ? State::kExtensionQuoted : State::kExtensionValue;
      return token || c == '"' || Refuse("malformed chunk extension");
    case State::kExtensionValue:
      return token || EndExtension(c) || Refuse("malformed chunk extension");
    case State::kExtensionQuoted:
      if (c == '"') state_ = State::kExtensionEnd;
      if (c == '\\') state_ = State::kExtensionEscaped;
      return IsByte(c, kValueByte) || Refuse("forbidden byte in a chunk extension");
    case State::kExtensionEscaped:
      state_ = State::kExtensionQuoted;
      return IsByte(c, kValueByte) || Refuse("forbidden byte in a chunk extension");
    default:
      return EndExtension(c) || Refuse("malformed chunk extension");
  }
}

// What may stand behind a size or an extension.
bool ChunkDecoder::EndExtension(char c) {
  if (c == '\r') state_ = State::kSizeEnd;
  if (c == ';') state_ = State::kExtensionStart;
  return c == '\r' || c == ';';
}

bool ChunkDecoder::OnTrailerByte(char c) {
  trailer_text_ += c;
  if (trailer_text_.size() > kTrailerBytesMax) return Refuse("trailers too long");
  if (c != '\n') return true;
  if (trailer_text_ != "\r\n") {
    if (trailer_scanner_.Scan(trailer_text_) == 0) {
      refusal_ = trailer_scanner_.refusal();
      return !refusal_;
    }
    refusal_ = ParseTrailers(trailer_text_, trailers_);
    if (refusal_) return false;
  }
  state_ = State::kDone;
  return true;
}

bool ChunkDecoder::Refuse(std::string_view reason) {
  refusal_ = {400, reason};
  return false;
}

ChunkLine::ChunkLine(uint64_t size) {
  constexpr std::string_view digits = "0123456789abcdef";
  text_[--start_] = '\n';
  text_[--start_] = '\r';
  do {
    text_[--start_] = digits[size % 16];
    size /= 16;
  } while (size != 0);
}

}  // namespace updraft::http
