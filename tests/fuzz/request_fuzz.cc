// Requests: the same verdict however the bytes are cut, and what is passed on of those that are
// accepted.
#include <cstdint>

#include "core/base/check.h"
#include "tests/fuzz/forwarded.h"
#include "tests/fuzz/message_stream.h"

// The first byte says into how long pieces the rest is cut.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace updraft;
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  const fuzz::Messages whole = fuzz::ReadRequests(bytes, bytes.size());
  const fuzz::Messages cut = fuzz::ReadRequests(bytes, size_t{1} + data[0] % 32);
  UPDRAFT_CHECK(whole.over == cut.over);
  UPDRAFT_CHECK(whole.refused || whole.list == cut.list);
  UPDRAFT_CHECK(whole.complete() == cut.complete());

  http::HeadScanner scanner;
  const size_t head_size = scanner.Scan(bytes);
  if (head_size == 0) return 0;
  http::RequestHead head;
  http::Framing framing;
  if (!ParseRequestHead(bytes.substr(0, head_size), head, framing))
    fuzz::CheckForwarded(head, framing.body, framing.upgrade);
  return 0;
}
