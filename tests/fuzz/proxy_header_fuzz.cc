// PROXY protocol: a verdict that more bytes do not change, and a source that is an address.
#include <cstdint>
#include <string>

#include "core/base/check.h"
#include "core/http/proxy_protocol.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace updraft::http;
  using State = ProxyHeader::State;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const ProxyHeader whole = ParseProxyHeader(bytes);
  for (size_t cut = 0; cut < std::min<size_t>(size, 300); ++cut) {
    const ProxyHeader part = ParseProxyHeader(bytes.substr(0, cut));
    if (part.state == State::kIncomplete) {
      UPDRAFT_CHECK(whole.state != State::kComplete || cut < whole.size);
      continue;
    }
    // Once it is decided, it stays so.
    UPDRAFT_CHECK(part.state == whole.state && part.size == whole.size);
  }
  if (whole.state != State::kComplete) return 0;
  UPDRAFT_CHECK(whole.size > 0 && whole.size <= size && whole.size <= kProxyHeaderBytesMax);
  if (!whole.source) return 0;
  const std::string source = FormatAddress(*whole.source);
  const auto again = ParseAddress(source);
  UPDRAFT_CHECK(again && FormatAddress(*again) == source);
  return 0;
}
