// Which bytes may stand where in a head: one table for all. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>

#include <bit>
#endif

namespace updraft::http {

enum ByteClass : uint8_t {
  kTokenByte = 1,     // method, field name
  kTargetByte = 2,    // request target: visible ASCII without "#"
  kValueByte = 4,     // field value: visible, space, tab, and bytes above ASCII
  kHostByte = 8,      // host and port
  kAddressByte = 16,  // IPv4 or IPv6 address
  kNameByte = 32,     // host without port, not an address in brackets
};

namespace internal {

constexpr std::array<uint8_t, 256> MakeByteTable() {
  std::array<uint8_t, 256> table{};
  constexpr std::string_view token_marks = "!#$%&'*+-.^_`|~";
  constexpr std::string_view name_marks = "-._~%!$&'()*+;=";
  for (unsigned c = 0; c < 256; ++c) {
    const char ch = static_cast<char>(c);
    const bool alphanumeric =
        (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    uint8_t bits = 0;
    if (alphanumeric || token_marks.find(ch) != std::string_view::npos) bits |= kTokenByte;
    const bool name = alphanumeric || name_marks.find(ch) != std::string_view::npos;
    if (name) bits |= kNameByte;
    if (name || ch == ':' || ch == '[' || ch == ']') bits |= kHostByte;
    const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    if (hex || c == '.' || c == ':') bits |= kAddressByte;
    if (c > 0x20 && c < 0x7f && c != '#') bits |= kTargetByte;
    if ((c >= 0x20 && c != 0x7f) || c == '\t') bits |= kValueByte;
    if (c == 0) bits = 0;
    table[c] = bits;
  }
  return table;
}

inline constexpr std::array<uint8_t, 256> kByteTable = MakeByteTable();

}  // namespace internal

inline bool IsByte(char c, ByteClass kind) {
  return (internal::kByteTable[static_cast<uint8_t>(c)] & kind) != 0;
}

// How many bytes from `start` on are of the kind.
inline size_t SpanOf(std::string_view text, size_t start, ByteClass kind) {
  size_t i = start;
  while (i < text.size() && IsByte(text[i], kind)) ++i;
  return i - start;
}

#if defined(__SSE2__)

namespace internal {

inline __m128i Load16(const char* bytes) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes));  // NOLINT: what it is for
}
// Of the bytes that are in [first, first + count): all bits.
inline __m128i InRange(__m128i bytes, char first, int count) {
  const __m128i moved = _mm_add_epi8(bytes, _mm_set1_epi8(static_cast<char>(-128 - first)));
  return _mm_cmplt_epi8(moved, _mm_set1_epi8(static_cast<char>(-128 + count)));
}
inline unsigned BitsOf(__m128i bytes) { return static_cast<unsigned>(_mm_movemask_epi8(bytes)); }

}  // namespace internal

// The same for kTokenByte, sixteen bytes at a time while they are letters, digits and "-".
inline size_t SpanOfToken(std::string_view text, size_t start) {
  size_t i = start;
  for (; i + 16 <= text.size(); i += 16) {
    const __m128i bytes = internal::Load16(text.data() + i);
    const __m128i letters = internal::InRange(_mm_or_si128(bytes, _mm_set1_epi8(0x20)), 'a', 26);
    const __m128i digits = internal::InRange(bytes, '0', 10);
    const __m128i dashes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('-'));
    const unsigned plain = internal::BitsOf(_mm_or_si128(_mm_or_si128(letters, digits), dashes));
    if (plain == 0xffff) continue;
    i += static_cast<size_t>(std::countr_one(plain));
    if (text[i] == ':') return i - start;  // as most names end
    break;
  }
  return i - start + SpanOf(text, i, kTokenByte);
}

// The same for kValueByte, sixteen bytes at a time.
inline size_t SpanOfValue(std::string_view text, size_t start) {
  size_t i = start;
  while (i + 16 <= text.size()) {
    const __m128i bytes = internal::Load16(text.data() + i);
    const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
    const __m128i del = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f));
    const unsigned odd = internal::BitsOf(_mm_or_si128(control, del));
    if (odd == 0) {
      i += 16;
      continue;
    }
    i += static_cast<size_t>(std::countr_zero(odd));
    if (text[i] != '\t') return i - start;
    ++i;
  }
  return i - start + SpanOf(text, i, kValueByte);
}

#else

inline size_t SpanOfToken(std::string_view text, size_t start) {
  return SpanOf(text, start, kTokenByte);
}

// The same for kValueByte, eight bytes at a time while they are all ordinary.
inline size_t SpanOfValue(std::string_view text, size_t start) {
  constexpr uint64_t ones = 0x0101010101010101;
  size_t i = start;
  while (i + 8 <= text.size()) {
    uint64_t word = 0;
    std::memcpy(&word, text.data() + i, 8);
    const uint64_t del = word ^ (ones * 0x7f);
    const uint64_t control = (word - ones * 0x20) & ~word;  // the top bit of each byte below 0x20
    if (((control | ((del - ones) & ~del)) & (ones * 0x80)) != 0) break;
    i += 8;
  }
  return i - start + SpanOf(text, i, kValueByte);
}

#endif

inline bool AllOf(std::string_view text, ByteClass kind) {
  return SpanOf(text, 0, kind) == text.size();
}

// The kinds that all bytes are of, each a bit.
inline unsigned KindsOf(std::string_view text) {
  unsigned kinds = 0xff;
  for (const char c : text) kinds &= internal::kByteTable[static_cast<uint8_t>(c)];
  return kinds;
}

// What may have come from a user, made fit for a field: bytes that could end the line become
// spaces.
inline std::string SafeFieldValue(std::string_view value) {
  std::string safe(value);
  for (char& c : safe) {
    if (!IsByte(c, kValueByte)) c = ' ';
  }
  return safe;
}

}  // namespace updraft::http
