#include "core/api/go_number.h"

#include <charconv>
#include <limits>
#include <string>

#include "core/api/ascii.h"

namespace updraft::api {
namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string Lowered(std::string_view text) {
  std::string lower;
  for (char c : text) lower += Lower(c);
  return lower;
}

bool IsHexDigit(char c) { return IsDigit(c) || (Lower(c) >= 'a' && Lower(c) <= 'f'); }

// Each stands between digits, or between the base's prefix and a digit.
bool UnderscoresFit(std::string_view number, bool hex) {
  bool digit_before = hex;
  bool open = false;
  for (char c : number) {
    const bool digit = hex ? IsHexDigit(c) : IsDigit(c);
    if (c == '_' && !digit_before) return false;
    if (open && !digit) return false;
    open = c == '_';
    digit_before = digit;
  }
  return !open;
}

std::string WithoutUnderscores(std::string_view number) {
  std::string plain;
  for (char c : number) {
    if (c != '_') plain += c;
  }
  return plain;
}

// A number without its sign.
GoNumber ParseMagnitude(std::string_view text, double& value) {
  const bool hex = text.size() > 2 && text[0] == '0' && Lower(text[1]) == 'x';
  if (hex) text.remove_prefix(2);
  if (!UnderscoresFit(text, hex)) return GoNumber::kBadSyntax;
  const std::string plain = WithoutUnderscores(text);
  // from_chars would also take inf, nan and a second sign.
  if (plain.empty() || !(IsHexDigit(plain[0]) || plain[0] == '.')) return GoNumber::kBadSyntax;
  if (hex && Lowered(plain).find('p') == std::string::npos) return GoNumber::kBadSyntax;
  const char* const end = plain.data() + plain.size();
  const auto read = std::from_chars(plain.data(), end, value,
                                    hex ? std::chars_format::hex : std::chars_format::general);
  if (read.ec == std::errc::invalid_argument || read.ptr != end) return GoNumber::kBadSyntax;
  if (read.ec == std::errc()) return GoNumber::kRead;
  // What is too small is 0 to Go. Of a number that fits no double, the exponent's sign tells which it is.
  const bool small = plain.find(hex ? "p-" : "e-") != std::string::npos ||
                     plain.find(hex ? "P-" : "E-") != std::string::npos;
  value = small ? 0 : std::numeric_limits<double>::infinity();
  return small ? GoNumber::kRead : GoNumber::kOutOfRange;
}

}  // namespace

GoNumber ParseGoInt(std::string_view text, int bits, int64_t& value) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text.empty()) return GoNumber::kBadSyntax;
  const uint64_t most = bits >= 64 ? std::numeric_limits<uint64_t>::max() : (uint64_t{1} << bits) - 1;
  uint64_t magnitude = 0;
  for (char c : text) {
    if (!IsDigit(c)) return GoNumber::kBadSyntax;
    const auto digit = static_cast<uint64_t>(c - '0');
    if (magnitude > (most - digit) / 10) return GoNumber::kOutOfRange;
    magnitude = magnitude * 10 + digit;
  }
  const uint64_t half = uint64_t{1} << (bits - 1);
  if (negative ? magnitude > half : magnitude >= half) return GoNumber::kOutOfRange;
  value = negative ? static_cast<int64_t>(~magnitude + 1) : static_cast<int64_t>(magnitude);
  return GoNumber::kRead;
}

GoNumber ParseGoFloat(std::string_view text, double& value) {
  const bool negative = text.starts_with('-');
  const bool sign = negative || text.starts_with('+');
  if (sign) text.remove_prefix(1);
  const std::string lower = Lowered(text);
  GoNumber read = GoNumber::kRead;
  if (lower == "inf" || lower == "infinity") {
    value = std::numeric_limits<double>::infinity();
  } else if (lower == "nan" && !sign) {
    value = std::numeric_limits<double>::quiet_NaN();
  } else {
    read = ParseMagnitude(text, value);
  }
  if (negative) value = -value;
  return read;
}

}  // namespace updraft::api
