// Where requests and responses begin and end: we and llhttp must say the same of all that we
// accept.
#include <cstdint>

#include "tests/fuzz/message_stream.h"

// The first byte says what the rest is: requests, a response to GET or one to HEAD.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace updraft::fuzz;
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  if (data[0] < 'R') {
    CheckAgainstOracle(ReadRequests(bytes, bytes.size()), OracleRequests(bytes));
  } else {
    const char* method = data[0] == 'h' ? "HEAD" : "GET";
    CheckAgainstOracle(ReadResponse(bytes, method, bytes.size()), OracleResponse(bytes, method));
  }
  return 0;
}
