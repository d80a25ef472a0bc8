#include "core/http/serialize.h"

#include <charconv>
#include <ctime>

#include "core/http/bytes.h"

namespace updraft::http {

void AppendNumber(std::string& out, uint64_t number) {
  char text[20];
  const auto end = std::to_chars(text, text + sizeof text, number).ptr;
  out.append(text, end);
}

void AppendStatusLine(std::string& out, int status) {
  if (status == 200) {
    out.append("HTTP/1.1 200 OK\r\n");
    return;
  }
  out.append("HTTP/1.1 ");
  AppendNumber(out, static_cast<uint64_t>(status));
  out.append(" ").append(ReasonPhrase(status)).append("\r\n");
}

std::string SanitizedValue(std::string_view value) {
  std::string safe(value);
  for (char& c : safe) {
    if (!IsByte(c, kValueByte)) c = ' ';
  }
  return safe;
}

std::string_view HttpDate(int64_t unix_seconds) {
  struct Kept {
    int64_t second = -1;
    char text[30] = {};
  };
  thread_local Kept kept;
  if (kept.second != unix_seconds) {
    const auto time = static_cast<time_t>(unix_seconds);
    tm parts{};
    gmtime_r(&time, &parts);
    // Our programs keep the "C" locale, whose names of days and months these are.
    strftime(kept.text, sizeof kept.text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    kept.second = unix_seconds;
  }
  return {kept.text, 29};
}

}  // namespace updraft::http
