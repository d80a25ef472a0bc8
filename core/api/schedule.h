// Annotation updraft.dev/schedule: windows of time that raise a revision's min-scale. Pure, but for
// the zone's file.
//
//   [zone ZONE;] COUNT from CRON for DURATION [; COUNT from CRON for DURATION]...
//
//   zone Europe/Berlin; 3 from 0 8 * * 1-5 for 10h; 10 from 55 11 * * 1-5 for 20m
//
// CRON has cron's five fields (minute, hour, day of month, month, day of week) with *, lists,
// ranges and steps; names of months and days are not read. As in cron, when both days are
// restricted either of them will do. A window begins when the zone's clocks show the time, and
// lasts as long as it says: a change of the clocks does not stretch it. Where windows overlap the
// largest count holds.
#pragma once

#include <bitset>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/time_zone.h"
#include "core/base/clock.h"
#include "core/base/result.h"

namespace updraft::api {

inline constexpr std::string_view kScheduleAnnotation = "updraft.dev/schedule";

class Schedule {
 public:
  // kInvalidArgument says what is wrong with which part.
  static Result<Schedule> Parse(const std::string& text);

  struct Moment {
    int min_scale = 0;
    WallTime until;  // the count is the same at least until then, and not for ever
  };
  Moment At(WallTime now) const;

  bool operator==(const Schedule& other) const { return text_ == other.text_; }

 private:
  struct Cron {
    std::bitset<60> minutes;
    std::bitset<24> hours;
    std::bitset<32> days;     // 1..31
    std::bitset<13> months;   // 1..12
    std::bitset<7> weekdays;  // 0: Sunday
    bool any_day = true;      // the day of month is *
    bool any_weekday = true;
  };
  struct Window {
    int min_scale = 0;
    Cron start;
    Nanos length{0};
  };

  static Result<Window> ParseWindow(std::string_view text);
  static Status ParseCron(const std::vector<std::string_view>& fields, Cron& cron);
  static bool OnDay(const Cron& cron, int64_t day);
  std::vector<WallTime> StartsOn(const Cron& cron, int64_t day) const;

  std::string text_;
  std::shared_ptr<const TimeZone> zone_;
  std::vector<Window> windows_;
};

}  // namespace updraft::api
