#include "core/api/schedule.h"

#include <algorithm>
#include <charconv>

#include "core/api/duration.h"
#include "core/api/invalid_argument.h"

namespace updraft::api {
namespace {

constexpr size_t kTextBytesMax = 2048;
constexpr size_t kWindowsMax = 32;
constexpr int kCountMax = 1000;
constexpr size_t kStartsADayMax = 48;  // what is looked at for a decision stays small
constexpr Nanos kLengthMin = std::chrono::minutes(1);
constexpr Nanos kLengthMax = std::chrono::hours(7 * 24);
constexpr Nanos kDay = std::chrono::hours(24);

std::string InQuotes(std::string_view text) { return "\"" + std::string(text) + "\""; }

std::string_view Trim(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\n") - first + 1);
}

std::vector<std::string_view> Split(std::string_view text, std::string_view separators,
                                    bool keep_empty) {
  std::vector<std::string_view> parts;
  while (true) {
    const size_t end = text.find_first_of(separators);
    const std::string_view part = text.substr(0, end);
    if (keep_empty || !part.empty()) parts.push_back(part);
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::optional<int> ParseNumber(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || text.front() == '-' || error != std::errc() ||
      end != text.data() + text.size())
    return std::nullopt;
  return value;
}

struct FieldRange {
  const char* name;
  int least;
  int most;
};

// One of a field's comma-separated items: *, 5, 1-5, */10, 8-18/2.
template <size_t n>
Status ParseItem(std::string_view item, const FieldRange& range, std::bitset<n>& into) {
  const Error bad = InvalidArgument(
      std::string(range.name) + " " + InQuotes(item) + ": a number, a range or * is wanted, of " +
      std::to_string(range.least) + " to " + std::to_string(range.most));
  const size_t slash = item.find('/');
  int step = 1;
  if (slash != std::string_view::npos) {
    const auto parsed = ParseNumber(item.substr(slash + 1));
    if (!parsed || *parsed < 1 || *parsed > range.most) return bad;
    step = *parsed;
  }
  const std::string_view span = item.substr(0, slash);
  int first = range.least;
  int last = range.most;
  if (span != "*") {
    const size_t dash = span.find('-');
    const auto from = ParseNumber(span.substr(0, dash));
    const auto to = dash == std::string_view::npos ? from : ParseNumber(span.substr(dash + 1));
    if (!from || !to || *from > *to || *from < range.least || *to > range.most) return bad;
    // As in Vixie's cron, a step without a range goes on to the end.
    first = *from;
    last = dash == std::string_view::npos && slash != std::string_view::npos ? range.most : *to;
  }
  for (int value = first; value <= last; value += step) into.set(static_cast<size_t>(value));
  return Ok();
}

template <size_t n>
Status ParseField(std::string_view text, const FieldRange& range, std::bitset<n>& into) {
  for (const std::string_view item : Split(text, ",", true)) {
    if (Status parsed = ParseItem(item, range, into); !parsed) return parsed;
  }
  return Ok();
}

}  // namespace

Status Schedule::ParseCron(const std::vector<std::string_view>& fields, Cron& cron) {
  std::bitset<8> weekdays;  // 7 is Sunday as well
  Status parsed = ParseField(fields[0], {"minute", 0, 59}, cron.minutes);
  if (parsed) parsed = ParseField(fields[1], {"hour", 0, 23}, cron.hours);
  if (parsed) parsed = ParseField(fields[2], {"day of month", 1, 31}, cron.days);
  if (parsed) parsed = ParseField(fields[3], {"month", 1, 12}, cron.months);
  if (parsed) parsed = ParseField(fields[4], {"day of week", 0, 7}, weekdays);
  if (!parsed) return parsed;
  for (size_t i = 0; i < 8; ++i) {
    if (weekdays[i]) cron.weekdays.set(i % 7);
  }
  if (cron.minutes.count() * cron.hours.count() > kStartsADayMax) {
    return InvalidArgument("minute " + InQuotes(fields[0]) + ", hour " + InQuotes(fields[1]) +
                           ": more than " + std::to_string(kStartsADayMax) +
                           " starts a day; a longer duration will do");
  }
  cron.any_day = fields[2].starts_with('*');
  cron.any_weekday = fields[4].starts_with('*');
  return Ok();
}

Result<Schedule::Window> Schedule::ParseWindow(std::string_view text) {
  const std::vector<std::string_view> words = Split(text, " \t\n", false);
  if (words.size() != 9 || words[1] != "from" || words[7] != "for") {
    return InvalidArgument(InQuotes(text) +
                           ": \"COUNT from MINUTE HOUR DAY MONTH WEEKDAY for DURATION\" is wanted");
  }
  Window window;
  const auto count = ParseNumber(words[0]);
  if (!count || *count < 1 || *count > kCountMax) {
    return InvalidArgument(InQuotes(words[0]) + ": a count of 1 to " + std::to_string(kCountMax) +
                           " is wanted");
  }
  window.min_scale = *count;
  if (Status parsed = ParseCron({words.begin() + 2, words.begin() + 7}, window.start); !parsed)
    return parsed.error();
  const auto length = ParseGoDuration(words[8]);
  if (!length || *length < kLengthMin || *length > kLengthMax || *length % Seconds(1) != Nanos(0)) {
    return InvalidArgument(InQuotes(words[8]) +
                           ": a duration of 1m to 168h in whole seconds is wanted");
  }
  window.length = *length;
  return window;
}

Result<Schedule> Schedule::Parse(const std::string& text) {
  if (text.size() > kTextBytesMax)
    return InvalidArgument("longer than " + std::to_string(kTextBytesMax) + " bytes");
  Schedule schedule;
  schedule.text_ = text;
  std::string zone = "UTC";
  std::vector<std::string_view> parts = Split(text, ";", true);
  if (const std::string_view first = Trim(parts.front()); first.starts_with("zone ")) {
    zone = Trim(first.substr(5));
    parts.erase(parts.begin());
  }
  auto loaded = LoadTimeZone(zone);
  if (!loaded) return InvalidArgument(loaded.error().message);
  schedule.zone_ = *loaded;
  if (parts.empty()) return InvalidArgument("no window is given");
  if (parts.size() > kWindowsMax)
    return InvalidArgument("more than " + std::to_string(kWindowsMax) + " windows");
  for (const std::string_view part : parts) {
    Result<Window> window = ParseWindow(Trim(part));
    if (!window) return window.error();
    schedule.windows_.push_back(*std::move(window));
  }
  return schedule;
}

bool Schedule::OnDay(const Cron& cron, int64_t day) {
  const CivilDate date = DateOf(day);
  if (!cron.months[static_cast<size_t>(date.month)]) return false;
  const bool day_fits = cron.days[static_cast<size_t>(date.day)];
  const bool weekday_fits = cron.weekdays[static_cast<size_t>(date.weekday)];
  if (cron.any_day || cron.any_weekday) return day_fits && weekday_fits;
  return day_fits || weekday_fits;
}

std::vector<WallTime> Schedule::StartsOn(const Cron& cron, int64_t day) const {
  std::vector<WallTime> starts;
  if (!OnDay(cron, day)) return starts;
  for (size_t hour = 0; hour < 24; ++hour) {
    for (size_t minute = 0; cron.hours[hour] && minute < 60; ++minute) {
      if (!cron.minutes[minute]) continue;
      starts.push_back(
          zone_->FromCivil({.day = day, .seconds = static_cast<int>(hour * 3600 + minute * 60)}));
    }
  }
  return starts;
}

Schedule::Moment Schedule::At(WallTime now) const {
  Moment moment{.min_scale = 0, .until = now + kDay};
  const auto no_later = [&](WallTime when) {
    if (when > now) moment.until = std::min(moment.until, when);
  };
  const int64_t today = zone_->ToCivil(now).day;
  for (const Window& window : windows_) {
    const int64_t back = window.length / kDay + 2;
    for (int64_t day = today - back; day <= today + 2; ++day) {
      for (const WallTime start : StartsOn(window.start, day)) {
        no_later(start);
        no_later(start + window.length);
        if (start <= now && now < start + window.length)
          moment.min_scale = std::max(moment.min_scale, window.min_scale);
      }
    }
  }
  return moment;
}

}  // namespace updraft::api
