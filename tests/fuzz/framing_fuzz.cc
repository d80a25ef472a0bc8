// Where requests and responses begin and end: we and llhttp must say the same of all that we
// accept.
#include <cstdint>
#include <string>
#include <string_view>

#include "core/http/message.h"
#include "tests/fuzz/message_stream.h"

namespace {

// llhttp takes a tab after "chunked" for a part of the coding's name. It is white space (RFC
// 9110 5.6.3), so both are given a blank there.
std::string WithoutTabsAfterChunked(std::string_view bytes) {
  constexpr std::string_view kCoding = "chunked";
  std::string same(bytes);
  for (size_t at = 0; at + kCoding.size() < same.size(); ++at) {
    if (!updraft::http::EqualsIgnoreCase(std::string_view(same).substr(at, kCoding.size()),
                                         kCoding))
      continue;
    for (size_t next = at + kCoding.size(); next < same.size(); ++next) {
      if (same[next] != ' ' && same[next] != '\t') break;
      same[next] = ' ';
    }
  }
  return same;
}

}  // namespace

// The first byte says what the rest is: requests, a response to GET or one to HEAD.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace updraft::fuzz;
  if (size == 0) return 0;
  const std::string bytes =
      WithoutTabsAfterChunked({reinterpret_cast<const char*>(data + 1), size - 1});
  if (data[0] < 'R') {
    CheckAgainstOracle(ReadRequests(bytes, bytes.size()), OracleRequests(bytes));
  } else {
    const char* method = data[0] == 'h' ? "HEAD" : "GET";
    CheckAgainstOracle(ReadResponse(bytes, method, bytes.size()), OracleResponse(bytes, method));
  }
  return 0;
}
