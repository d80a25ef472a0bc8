#include "core/api/quantity.h"

#include <iterator>
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

std::string ToDecimal(Int128 value) {
  if (value == 0) return "0";
  std::string digits;
  for (Int128 rest = value < 0 ? -value : value; rest != 0; rest /= 10)
    digits.insert(digits.begin(), static_cast<char>('0' + static_cast<int>(rest % 10)));
  return (value < 0 ? "-" : "") + digits;
}

// As many thousands as go into the suffix.
std::string WithDecimalSuffix(Int128 nanos, bool exponent) {
  static constexpr std::string_view kSuffixes[] = {"n", "u", "m", "", "k", "M", "G", "T", "P", "E"};
  size_t step = 0;
  while (nanos != 0 && nanos % 1000 == 0 && step + 1 < std::size(kSuffixes)) {
    nanos /= 1000;
    ++step;
  }
  const int power = static_cast<int>(step) * 3 - 9;
  if (!exponent) return ToDecimal(nanos) + std::string(kSuffixes[step]);
  return ToDecimal(nanos) + (power == 0 ? "" : "e" + std::to_string(power));
}

std::string WithBinarySuffix(Int128 value) {
  static constexpr std::string_view kSuffixes[] = {"", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};
  size_t step = 0;
  while (value != 0 && value % 1024 == 0 && step + 1 < std::size(kSuffixes)) {
    value /= 1024;
    ++step;
  }
  return ToDecimal(value) + std::string(kSuffixes[step]);
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

std::string Quantity::CanonicalText(std::string_view original) const {
  if (nanos_ == 0) return "0";
  const bool small = nanos_ > -1024 * kNano && nanos_ < 1024 * kNano;
  if (original.ends_with('i') && !small) return WithBinarySuffix(DivideUp(nanos_, kNano));
  // "1E" is a suffix, "1E3" an exponent.
  const size_t e = original.find_first_of("eE");
  return WithDecimalSuffix(nanos_, e != std::string_view::npos && e + 1 < original.size() && !original.ends_with('i'));
}

std::optional<std::string> CanonicalQuantity(const Json& json) {
  const std::optional<Quantity> quantity = Quantity::FromJson(json);
  if (!quantity) return std::nullopt;
  return quantity->CanonicalText(json.is_string() ? json.get<std::string>() : json.dump());
}

}  // namespace updraft::api
