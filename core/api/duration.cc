#include "core/api/duration.h"

#include <cmath>
#include <limits>

#include "core/api/ascii.h"

namespace updraft::api {
namespace {

struct Unit {
  std::string_view name;
  int64_t nanos = 1;
};

constexpr Unit kUnits[] = {
    {"ns", 1},         {"us", 1'000},        {"\u00b5s", 1'000},    {"\u03bcs", 1'000},
    {"ms", 1'000'000}, {"s", 1'000'000'000}, {"m", 60'000'000'000}, {"h", 3'600'000'000'000}};

// Takes "12.5h" off the front of `text`; nullopt when there is none or it overflows.
std::optional<int64_t> TakePart(std::string_view& text) {
  int64_t whole = 0;
  double fraction = 0;
  double scale = 1;
  bool digits = false;
  while (!text.empty() && IsDigit(text.front())) {
    if (__builtin_mul_overflow(whole, int64_t{10}, &whole) ||
        __builtin_add_overflow(whole, text.front() - '0', &whole)) {
      return std::nullopt;
    }
    digits = true;
    text.remove_prefix(1);
  }
  if (!text.empty() && text.front() == '.') {
    text.remove_prefix(1);
    while (!text.empty() && IsDigit(text.front())) {
      scale /= 10;
      fraction += (text.front() - '0') * scale;
      digits = true;
      text.remove_prefix(1);
    }
  }
  if (!digits) return std::nullopt;
  size_t length = 0;
  while (length < text.size() && !IsDigit(text[length]) && text[length] != '.') ++length;
  const std::string_view name = text.substr(0, length);
  text.remove_prefix(length);
  for (const Unit& unit : kUnits) {
    if (unit.name != name) continue;
    int64_t total = 0;
    if (__builtin_mul_overflow(whole, unit.nanos, &total)) return std::nullopt;
    const auto extra =
        static_cast<int64_t>(std::llround(fraction * static_cast<double>(unit.nanos)));
    if (__builtin_add_overflow(total, extra, &total)) return std::nullopt;
    return total;
  }
  return std::nullopt;
}

// "1.5" for 1500 thousandths: no zeros at the end, no point without digits after it.
std::string Decimal(int64_t value, int64_t one) {
  std::string text = std::to_string(value / one);
  int64_t rest = value % one;
  if (rest == 0) return text;
  text += '.';
  for (int64_t place = one / 10; rest != 0; place /= 10) {
    text += static_cast<char>('0' + rest / place);
    rest %= place;
  }
  return text;
}

}  // namespace

std::optional<Nanos> ParseGoDuration(std::string_view text) {
  bool negative = false;
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) {
    negative = text.front() == '-';
    text.remove_prefix(1);
  }
  if (text == "0") return Nanos(0);
  if (text.empty()) return std::nullopt;
  int64_t total = 0;
  while (!text.empty()) {
    const std::optional<int64_t> part = TakePart(text);
    if (!part || __builtin_add_overflow(total, *part, &total)) return std::nullopt;
  }
  return Nanos(negative ? -total : total);
}

std::string FormatGoDuration(Nanos duration) {
  const int64_t n = duration.count();
  if (n == 0) return "0s";
  if (n == std::numeric_limits<int64_t>::min()) return "-2562047h47m16.854775808s";
  if (n < 0) return "-" + FormatGoDuration(-duration);
  if (n < 1'000) return std::to_string(n) + "ns";
  if (n < 1'000'000) return Decimal(n, 1'000) + "\u00b5s";
  if (n < 1'000'000'000) return Decimal(n, 1'000'000) + "ms";
  const int64_t minutes = n / 60'000'000'000;
  std::string text = Decimal(n % 60'000'000'000, 1'000'000'000) + "s";
  if (minutes > 0) text = std::to_string(minutes % 60) + "m" + text;
  if (minutes >= 60) text = std::to_string(minutes / 60) + "h" + text;
  return text;
}

}  // namespace updraft::api
