#include "core/http/date.h"

#include <ctime>

namespace updraft::http {

std::string_view HttpDate(WallTime time) {
  struct Kept {
    time_t second = -1;
    char text[30] = {};
  };
  constinit thread_local Kept kept;
  const time_t second = UnixNanos(time) / 1'000'000'000;
  if (kept.second != second) {
    tm parts{};
    gmtime_r(&second, &parts);
    // Our programs keep the "C" locale, whose names of days and months these are.
    strftime(kept.text, sizeof kept.text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    kept.second = second;
  }
  return {kept.text, 29};
}

}  // namespace updraft::http
