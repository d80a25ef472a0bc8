#include "core/api/timestamp.h"

#include <cctype>
#include <cstdio>

namespace updraft::api {
namespace {

using std::chrono::floor;
using SysDays = std::chrono::sys_days;

std::string FormatSeconds(WallTime time) {
  const auto day = floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(floor<Seconds>(time - day));
  char text[40];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return text;
}

// Takes `count` digits off the front of `text`.
std::optional<int> TakeNumber(std::string_view& text, size_t count) {
  if (text.size() < count) return std::nullopt;
  int number = 0;
  for (size_t i = 0; i < count; ++i) {
    if (std::isdigit(static_cast<unsigned char>(text[i])) == 0) return std::nullopt;
    number = number * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return number;
}

bool TakeChar(std::string_view& text, char expected) {
  if (text.empty() || text.front() != expected) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<Nanos> TakeFraction(std::string_view& text) {
  if (!TakeChar(text, '.')) return Nanos(0);
  int64_t nanos = 0;
  int digits = 0;
  while (!text.empty() && std::isdigit(static_cast<unsigned char>(text.front())) != 0) {
    if (digits++ < 9) nanos = nanos * 10 + (text.front() - '0');
    text.remove_prefix(1);
  }
  if (digits == 0) return std::nullopt;
  for (; digits < 9; ++digits) nanos *= 10;
  return Nanos(nanos);
}

std::optional<Seconds> TakeOffset(std::string_view& text) {
  if (TakeChar(text, 'Z') || TakeChar(text, 'z')) return Seconds(0);
  const bool east = TakeChar(text, '+');
  if (!east && !TakeChar(text, '-')) return std::nullopt;
  const auto hours = TakeNumber(text, 2);
  if (!hours || !TakeChar(text, ':')) return std::nullopt;
  const auto minutes = TakeNumber(text, 2);
  if (!minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  const Seconds offset = std::chrono::hours(*hours) + std::chrono::minutes(*minutes);
  return east ? offset : -offset;
}

}  // namespace

std::string FormatTimestamp(WallTime time) { return FormatSeconds(time) + "Z"; }

std::string FormatMicroTimestamp(WallTime time) {
  const auto micros =
      std::chrono::duration_cast<std::chrono::microseconds>(time - floor<Seconds>(time));
  char fraction[16];
  std::snprintf(fraction, sizeof fraction, ".%06dZ", static_cast<int>(micros.count()));
  return FormatSeconds(time) + fraction;
}

std::optional<WallTime> ParseTimestamp(std::string_view text) {
  const auto year = TakeNumber(text, 4);
  if (!year || !TakeChar(text, '-')) return std::nullopt;
  const auto month = TakeNumber(text, 2);
  if (!month || !TakeChar(text, '-')) return std::nullopt;
  const auto day = TakeNumber(text, 2);
  if (!day || !(TakeChar(text, 'T') || TakeChar(text, 't'))) return std::nullopt;
  const auto hour = TakeNumber(text, 2);
  if (!hour || !TakeChar(text, ':')) return std::nullopt;
  const auto minute = TakeNumber(text, 2);
  if (!minute || !TakeChar(text, ':')) return std::nullopt;
  const auto second = TakeNumber(text, 2);
  if (!second) return std::nullopt;
  const auto fraction = TakeFraction(text);
  if (!fraction) return std::nullopt;
  const auto offset = TakeOffset(text);
  if (!offset || !text.empty()) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  // Nanoseconds since 1970 in 64 bits reach from 1678 to 2261.
  if (*year < 1678 || *year > 2261) return std::nullopt;
  return WallTime(SysDays(date)) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
         Seconds(*second) + *fraction - *offset;
}

std::string FormatAge(Nanos age) {
  const int64_t seconds = std::chrono::duration_cast<Seconds>(age).count();
  if (seconds < -1) return "<invalid>";
  if (seconds < 0) return "0s";
  const auto number = [](int64_t n) { return std::to_string(n); };
  // Two units where the second still says something: kubectl's own rule.
  const auto two = [&number](int64_t big, const char* big_unit, int64_t small,
                             const char* small_unit) {
    return small == 0 ? number(big) + big_unit
                      : number(big) + big_unit + number(small) + small_unit;
  };
  const int64_t minutes = seconds / 60;
  const int64_t hours = minutes / 60;
  const int64_t days = hours / 24;
  if (seconds < 120) return number(seconds) + "s";
  if (minutes < 10) return two(minutes, "m", seconds % 60, "s");
  if (minutes < 180) return number(minutes) + "m";
  if (hours < 8) return two(hours, "h", minutes % 60, "m");
  if (hours < 48) return number(hours) + "h";
  if (days < 8) return two(days, "d", hours % 24, "h");
  if (days < 730) return number(days) + "d";
  if (days < 2920) return two(days / 365, "y", days % 365, "d");
  return number(days / 365) + "y";
}

}  // namespace updraft::api
