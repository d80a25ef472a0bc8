#include "core/api/duration.h"

#include <cmath>
#include <cstdio>
#include <limits>
#include <variant>

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

// What is wrong with a duration. `unit` is one that is none.
struct Flaw {
  enum class Kind { kInvalid, kNoUnit, kUnknownUnit };
  Kind kind = Kind::kInvalid;
  std::string_view unit = {};
};
using Part = std::variant<int64_t, Flaw>;

// Takes "12.5h" off the front of `text`.
Part TakePart(std::string_view& text) {
  int64_t whole = 0;
  double fraction = 0;
  double scale = 1;
  bool digits = false;
  while (!text.empty() && IsDigit(text.front())) {
    if (__builtin_mul_overflow(whole, int64_t{10}, &whole) ||
        __builtin_add_overflow(whole, text.front() - '0', &whole)) {
      return Flaw{};
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
  if (!digits) return Flaw{};
  size_t length = 0;
  while (length < text.size() && !IsDigit(text[length]) && text[length] != '.') ++length;
  const std::string_view name = text.substr(0, length);
  text.remove_prefix(length);
  if (name.empty()) return Flaw{.kind = Flaw::Kind::kNoUnit};
  for (const Unit& unit : kUnits) {
    if (unit.name != name) continue;
    int64_t total = 0;
    if (__builtin_mul_overflow(whole, unit.nanos, &total)) return Flaw{};
    const auto extra =
        static_cast<int64_t>(std::llround(fraction * static_cast<double>(unit.nanos)));
    if (__builtin_add_overflow(total, extra, &total)) return Flaw{};
    return total;
  }
  return Flaw{.kind = Flaw::Kind::kUnknownUnit, .unit = name};
}

Part ParseDuration(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text == "0") return 0;
  if (text.empty()) return Flaw{};
  int64_t total = 0;
  while (!text.empty()) {
    const Part part = TakePart(text);
    if (std::holds_alternative<Flaw>(part)) return part;
    if (__builtin_add_overflow(total, std::get<int64_t>(part), &total)) return Flaw{};
  }
  return negative ? -total : total;
}

// Go's time does not quote as the rest of Go does.
std::string Quote(std::string_view text) {
  std::string quoted = "\"";
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < ' ' || byte >= 0x80) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\x%02x", byte);
      quoted += escape;
    } else {
      if (c == '"' || c == '\\') quoted += '\\';
      quoted += c;
    }
  }
  return quoted + "\"";
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
  const Part parsed = ParseDuration(text);
  if (std::holds_alternative<Flaw>(parsed)) return std::nullopt;
  return Nanos(std::get<int64_t>(parsed));
}

std::string ExplainGoDuration(std::string_view text) {
  const Part parsed = ParseDuration(text);
  const Flaw flaw = std::holds_alternative<Flaw>(parsed) ? std::get<Flaw>(parsed) : Flaw{};
  if (flaw.kind == Flaw::Kind::kNoUnit) return "time: missing unit in duration " + Quote(text);
  if (flaw.kind == Flaw::Kind::kUnknownUnit)
    return "time: unknown unit " + Quote(flaw.unit) + " in duration " + Quote(text);
  return "time: invalid duration " + Quote(text);
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
