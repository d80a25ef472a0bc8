// A time zone of the machine's zone database: from universal time to what its clocks show, and
// back.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"

namespace updraft::api {

// What a clock on the wall shows, in a zone.
struct CivilTime {
  int64_t day = 0;  // since 1970-01-01
  int seconds = 0;  // of the day
};

struct CivilDate {
  int year = 1970;
  int month = 1;    // 1..12
  int day = 1;      // 1..31
  int weekday = 4;  // 0: Sunday
};
CivilDate DateOf(int64_t day);

// Immutable; safe for concurrent use.
class TimeZone {
 public:
  // Universal time.
  TimeZone() = default;

  // The contents of a zone file (RFC 8536, version 2 or later). kInvalidArgument: it is none.
  static Result<TimeZone> Parse(std::string_view bytes);

  CivilTime ToCivil(WallTime t) const;
  // A time that the clocks skip is taken to be as long after the change as it would have been; of
  // one that they show twice, the first.
  WallTime FromCivil(CivilTime civil) const;

 private:
  struct Change {
    int64_t at = 0;      // unix seconds
    int64_t offset = 0;  // seconds east of universal time, from then on
  };
  int64_t OffsetAt(int64_t unix_seconds) const;

  int64_t first_offset_ = 0;
  std::vector<Change> changes_;  // in order
};

// By its name in the zone database, "Europe/Berlin"; "UTC" is always there. kNotFound: there is no
// such zone here, kInvalidArgument: that is no name of one. Reads a file.
Result<std::shared_ptr<const TimeZone>> LoadTimeZone(const std::string& name);

}  // namespace updraft::api
