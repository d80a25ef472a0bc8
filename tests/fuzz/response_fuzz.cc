// Responses: the same verdict however the bytes are cut, and what a client gets of an accepted head
// carries nothing of the instance's connection.
#include <cstdint>

#include "activator/proxy/hop_headers.h"
#include "activator/proxy/response_head.h"
#include "core/base/check.h"
#include "core/http/bytes.h"
#include "core/http/parser.h"
#include "tests/fuzz/message_stream.h"

namespace updraft::fuzz {
namespace {

void CheckCleaned(std::string_view text, std::string_view method) {
  http::ResponseHead head;
  http::Framing framing;
  if (ParseResponseHead(text, method, head, framing)) return;
  UPDRAFT_CHECK(head.status >= 100 && head.status <= 599);
  activator::CleanResponseHead(head, "phase;dur=1");
  for (const http::NamedHeader header : head.headers) {
    const bool granted = head.status == 101 && header.known == http::FieldName::kUpgrade;
    UPDRAFT_CHECK(granted || !header.Is(activator::kHopByHop));
    UPDRAFT_CHECK(http::AllOf(header.name, http::kTokenByte) &&
                  http::AllOf(header.value, http::kValueByte));
  }
}

}  // namespace
}  // namespace updraft::fuzz

// The first byte says into how long pieces the rest is cut, and which request it answers.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace updraft::fuzz;
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  const char* method = data[0] >= 128 ? "HEAD" : "GET";
  const Messages whole = ReadResponse(bytes, method, bytes.size());
  const Messages cut = ReadResponse(bytes, method, size_t{1} + data[0] % 32);
  UPDRAFT_CHECK(whole.over == cut.over);
  UPDRAFT_CHECK(whole.refused || whole.list == cut.list);
  UPDRAFT_CHECK(whole.complete() == cut.complete());

  updraft::http::HeadScanner scanner;
  const size_t head = scanner.Scan(bytes);
  if (head > 0) CheckCleaned(bytes.substr(0, head), method);
  return 0;
}
