// Heads as bytes on an HTTP/1.1 connection. Pure, but for the date.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/http/message.h"

namespace updraft::http {

inline void AppendField(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

void AppendNumber(std::string& out, uint64_t number);

// "HTTP/1.1 200 OK\r\n".
void AppendStatusLine(std::string& out, int status);

// Makes `value` safe to be sent: what would end the line becomes a space.
std::string SanitizedValue(std::string_view value);

// Now, for a Date field ("Sun, 06 Nov 1994 08:49:37 GMT"). Kept for a second per thread.
std::string_view HttpDate(int64_t unix_seconds);

}  // namespace updraft::http
