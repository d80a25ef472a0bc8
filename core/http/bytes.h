// Which bytes may stand where in a head: one table for all. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace updraft::http {

enum ByteClass : uint8_t {
  kTokenByte = 1,     // method, field name
  kTargetByte = 2,    // request target: visible ASCII without "#"
  kValueByte = 4,     // field value: visible, space, tab, and bytes above ASCII
  kHostByte = 8,      // host and port
  kAddressByte = 16,  // IPv4 or IPv6 address
};

namespace internal {

constexpr std::array<uint8_t, 256> MakeByteTable() {
  std::array<uint8_t, 256> table{};
  constexpr std::string_view token_marks = "!#$%&'*+-.^_`|~";
  constexpr std::string_view host_marks = "-._~%!$&'()*+;=:[]";
  for (unsigned c = 0; c < 256; ++c) {
    const char ch = static_cast<char>(c);
    const bool alphanumeric =
        (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    uint8_t bits = 0;
    if (alphanumeric || token_marks.find(ch) != std::string_view::npos) bits |= kTokenByte;
    if (alphanumeric || host_marks.find(ch) != std::string_view::npos) bits |= kHostByte;
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

inline bool AllOf(std::string_view text, ByteClass kind) {
  return SpanOf(text, 0, kind) == text.size();
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
