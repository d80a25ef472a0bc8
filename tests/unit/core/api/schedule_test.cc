#include "core/api/schedule.h"

#include <gtest/gtest.h>

#include "core/api/timestamp.h"

namespace updraft::api {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

Schedule Of(const std::string& text) {
  Result<Schedule> schedule = Schedule::Parse(text);
  EXPECT_TRUE(schedule.has_value()) << text << ": " << (schedule ? "" : schedule.error().message);
  return schedule ? *std::move(schedule) : Schedule();
}

WallTime T(const std::string& text) { return *ParseTimestamp(text); }

struct ScheduleCase {
  std::string schedule;
  std::string at;
  int want;
};

TEST(ScheduleTest, CountsByTime) {
  // 2026-03-02 is a Monday; Berlin is an hour ahead until 2026-03-29, then two.
  for (const ScheduleCase& c : std::vector<ScheduleCase>{
           {"3 from 0 8 * * * for 10h", "2026-03-02T07:59:59Z", 0},
           {"3 from 0 8 * * * for 10h", "2026-03-02T08:00:00Z", 3},
           {"3 from 0 8 * * * for 10h", "2026-03-02T17:59:59Z", 3},
           {"3 from 0 8 * * * for 10h", "2026-03-02T18:00:00Z", 0},
           {"zone Europe/Berlin; 3 from 0 8 * * * for 10h", "2026-03-02T07:00:00Z", 3},
           {"zone Europe/Berlin; 3 from 0 8 * * * for 10h", "2026-03-02T06:59:00Z", 0},
           {"zone Europe/Berlin; 3 from 0 8 * * * for 10h", "2026-04-01T06:00:00Z",
            3},  // summer time
           {"zone America/New_York; 1 from 0 0 1 1 * for 1h", "2026-01-01T05:30:00Z", 1},
           {"3 from 0 8 * * 1-5 for 10h", "2026-03-07T09:00:00Z", 0},  // a Saturday
           {"3 from 0 8 * * 0 for 10h", "2026-03-08T09:00:00Z", 3},    // a Sunday is 0 ...
           {"3 from 0 8 * * 7 for 10h", "2026-03-08T09:00:00Z", 3},    // ... and 7
           {"3 from 30 23 * * * for 2h", "2026-03-03T01:29:00Z", 3},   // past midnight
           {"3 from 0 0 * * 1 for 168h", "2026-03-08T23:59:00Z", 3},   // a whole week
           {"1 from */30 * * * * for 10m", "2026-03-02T10:35:00Z", 1},
           {"1 from */30 * * * * for 10m", "2026-03-02T10:45:00Z", 0},
           {"1 from 0 8-18/5 * * * for 1h", "2026-03-02T13:10:00Z", 1},  // 8, 13, 18
           {"1 from 0 8-18/5 * * * for 1h", "2026-03-02T14:10:00Z", 0},
           {"1 from 0 9,12 * * * for 1h", "2026-03-02T12:10:00Z", 1},
           {"1 from 0 9 13 * 5 for 1h", "2026-03-13T09:00:00Z",
            1},  // the 13th or a Friday, as in cron
           {"1 from 0 9 13 * 5 for 1h", "2026-03-06T09:00:00Z", 1},
           {"1 from 0 9 13 * 5 for 1h", "2026-03-12T09:00:00Z", 0},
           {"1 from 0 9 * * * for 8h; 5 from 0 12 * * * for 1h", "2026-03-02T12:30:00Z", 5},
           {"1 from 0 9 * * * for 8h; 5 from 0 12 * * * for 1h", "2026-03-02T13:00:00Z", 1},
           {"1 from 0 9 29 2 * for 1h", "2028-02-29T09:30:00Z", 1}}) {
    EXPECT_EQ(Of(c.schedule).At(T(c.at)).min_scale, c.want) << c.schedule << " at " << c.at;
  }
}

TEST(ScheduleTest, ClocksThatAreSetForwardSkipNoWindow) {
  // In Berlin 02:30 does not exist on 2026-03-29: the window begins half an hour after the change,
  // at 03:30 there.
  const Schedule schedule = Of("zone Europe/Berlin; 2 from 30 2 * * * for 1h");
  EXPECT_EQ(schedule.At(T("2026-03-29T01:29:00Z")).min_scale, 0);
  EXPECT_EQ(schedule.At(T("2026-03-29T01:30:00Z")).min_scale, 2);
  EXPECT_EQ(schedule.At(T("2026-03-29T02:30:00Z")).min_scale, 0);
}

TEST(ScheduleTest, ClocksThatAreSetBackGiveOneWindow) {
  // In Berlin 02:30 comes twice on 2026-10-25, at 00:30 and 01:30 UTC: the first one counts.
  const Schedule schedule = Of("zone Europe/Berlin; 2 from 30 2 * * * for 30m");
  EXPECT_EQ(schedule.At(T("2026-10-25T00:30:00Z")).min_scale, 2);
  EXPECT_EQ(schedule.At(T("2026-10-25T01:30:00Z")).min_scale, 0);
}

TEST(ScheduleTest, SaysUntilWhenACountHolds) {
  const Schedule schedule = Of("3 from 0 8 * * * for 10h");
  EXPECT_EQ(schedule.At(T("2026-03-02T07:00:00Z")).until, T("2026-03-02T08:00:00Z"));
  EXPECT_EQ(schedule.At(T("2026-03-02T08:00:00Z")).until, T("2026-03-02T18:00:00Z"));
  EXPECT_LE(Of("1 from 0 0 1 1 * for 1h").At(T("2026-06-01T00:00:00Z")).until,
            T("2026-06-02T00:00:00Z"));
}

TEST(ScheduleTest, RefusesWhatIsNotExactlyRight) {
  for (const auto& [text, word] : std::vector<std::pair<std::string, std::string>>{
           {"", "COUNT from"},
           {"3", "COUNT from"},
           {"3 from 0 8 * * * for 10h;", "COUNT from"},
           {"zone Europe/Berlin", "no window"},
           {"zone Europe/Nowhere; 3 from 0 8 * * * for 10h", "not known"},
           {"zone ../../etc/passwd; 3 from 0 8 * * * for 10h", "no name"},
           {"3 from 0 8 * * for 10h", "COUNT from"},
           {"3 at 0 8 * * * for 10h", "COUNT from"},
           {"0 from 0 8 * * * for 10h", "\"0\""},
           {"1001 from 0 8 * * * for 10h", "\"1001\""},
           {"x from 0 8 * * * for 10h", "\"x\""},
           {"3 from 60 8 * * * for 10h", "minute \"60\""},
           {"3 from 0 24 * * * for 10h", "hour \"24\""},
           {"3 from 0 8 0 * * for 10h", "day of month \"0\""},
           {"3 from 0 8 * 13 * for 10h", "month \"13\""},
           {"3 from 0 8 * * 8 for 10h", "day of week \"8\""},
           {"3 from 0 8 * * mon for 10h", "day of week \"mon\""},
           {"3 from 0 8 * * 5-1 for 10h", "day of week \"5-1\""},
           {"3 from 0, 8 * * * for 10h", "minute \"\""},
           {"3 from */0 8 * * * for 10h", "minute \"*/0\""},
           {"3 from -1 8 * * * for 10h", "minute \"-1\""},
           {"3 from * * * * * for 10h", "48 starts a day"},
           {"3 from 0 8 * * * for 10", "duration"},
           {"3 from 0 8 * * * for 30s", "duration"},
           {"3 from 0 8 * * * for 169h", "duration"},
           {std::string(3000, ' '), "longer"}}) {
    const Result<Schedule> schedule = Schedule::Parse(text);
    ASSERT_FALSE(schedule.has_value()) << text;
    EXPECT_NE(schedule.error().message.find(word), std::string::npos)
        << text << ": " << schedule.error().message;
  }
}

TEST(DateOfTest, KnownDays) {
  const CivilDate epoch = DateOf(0);
  EXPECT_EQ(std::tuple(epoch.year, epoch.month, epoch.day, epoch.weekday),
            std::tuple(1970, 1, 1, 4));
  const CivilDate leap = DateOf(11'016);  // 30 * 365 + 7 leap days + 59
  EXPECT_EQ(std::tuple(leap.year, leap.month, leap.day, leap.weekday), std::tuple(2000, 2, 29, 2));
  const CivilDate before = DateOf(-1);
  EXPECT_EQ(std::tuple(before.year, before.month, before.day, before.weekday),
            std::tuple(1969, 12, 31, 3));
}

}  // namespace
}  // namespace updraft::api
