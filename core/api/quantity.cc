#include "core/api/quantity.h"

#include <limits>
#include <string>

#include "core/api/ascii.h"

namespace updraft::api {
namespace {

__extension__ typedef __int128 Int128;

constexpr Int128 kNano = 1'000'000'000;
constexpr Int128 kNanosMax = static_cast<Int128>(std::numeric_limits<int64_t>::max()) * kNano;
// Digits are taken up to here: ten times it, shifted by Ei's 60 bits, fits 127 bits.
constexpr Int128 kMantissaMax = 10'000'000'000'000'000'000ULL;

// value = mantissa * 2^binary * 10^decimal
struct Scale {
  int binary = 0;
  int decimal = 0;
};

std::optional<Scale> ParseSuffix(std::string_view suffix) {
  struct Named {
    std::string_view name;
    Scale scale;
  };
  static constexpr Named kNamed[] = {
      {"", {0, 0}},    {"n", {0, -9}},  {"u", {0, -6}},  {"m", {0, -3}},
      {"k", {0, 3}},   {"M", {0, 6}},   {"G", {0, 9}},   {"T", {0, 12}},
      {"P", {0, 15}},  {"E", {0, 18}},  {"Ki", {10, 0}}, {"Mi", {20, 0}},
      {"Gi", {30, 0}}, {"Ti", {40, 0}}, {"Pi", {50, 0}}, {"Ei", {60, 0}}};
  for (const Named& named : kNamed) {
    if (named.name == suffix) return named.scale;
  }
  if (suffix.front() != 'e' && suffix.front() != 'E') return std::nullopt;
  suffix.remove_prefix(1);
  const bool negative = !suffix.empty() && suffix.front() == '-';
  if (!suffix.empty() && (suffix.front() == '-' || suffix.front() == '+')) suffix.remove_prefix(1);
  if (suffix.empty() || suffix.size() > 4) return std::nullopt;
  int exponent = 0;
  for (char c : suffix) {
    if (!IsDigit(c)) return std::nullopt;
    exponent = exponent * 10 + (c - '0');
  }
  return Scale{.binary = 0, .decimal = negative ? -exponent : exponent};
}

Int128 DivideUp(Int128 value, Int128 by) {
  return value >= 0 ? (value + by - 1) / by : -((-value + by - 1) / by);
}

}  // namespace

std::optional<Quantity> Quantity::Parse(std::string_view text) {
  bool negative = false;
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) {
    negative = text.front() == '-';
    text.remove_prefix(1);
  }
  Int128 mantissa = 0;
  int decimals = 0;
  bool digits = false;
  bool point = false;
  bool cut = false;  // digits beyond what is kept were not zero
  for (; !text.empty() && (IsDigit(text.front()) || text.front() == '.'); text.remove_prefix(1)) {
    if (text.front() == '.') {
      if (point) return std::nullopt;
      point = true;
      continue;
    }
    digits = true;
    if (mantissa < kMantissaMax) {
      mantissa = mantissa * 10 + (text.front() - '0');
      if (point) ++decimals;
    } else {
      cut = cut || text.front() != '0';
      if (!point) --decimals;
    }
  }
  if (!digits) return std::nullopt;
  const std::optional<Scale> scale = ParseSuffix(text);
  if (!scale) return std::nullopt;
  if (cut) ++mantissa;
  Int128 nanos = mantissa << scale->binary;
  int power = scale->decimal - decimals + 9;
  for (; power > 0 && nanos != 0 && nanos < kNanosMax; --power) nanos *= 10;
  for (; power < 0 && nanos != 0; ++power) {
    if (nanos == 1) break;  // rounds up to a billionth for good
    nanos = DivideUp(nanos, 10);
  }
  nanos = nanos > kNanosMax ? kNanosMax : nanos;
  return Quantity(negative ? -nanos : nanos);
}

std::optional<Quantity> Quantity::FromJson(const Json& json) {
  if (json.is_string()) return Parse(json.get_ref<const std::string&>());
  if (json.is_number()) return Parse(json.dump());
  return std::nullopt;
}

int64_t Quantity::Value() const { return static_cast<int64_t>(DivideUp(nanos_, kNano)); }

int64_t Quantity::MilliValue() const {
  const Int128 millis = DivideUp(nanos_, 1'000'000);
  constexpr Int128 kMost = std::numeric_limits<int64_t>::max();
  if (millis > kMost) return std::numeric_limits<int64_t>::max();
  if (millis < -kMost) return -std::numeric_limits<int64_t>::max();
  return static_cast<int64_t>(millis);
}

}  // namespace updraft::api
