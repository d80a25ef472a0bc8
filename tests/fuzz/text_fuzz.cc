// The small languages inside heads: percent-encoding, queries, host names, addresses, lists.
#include <cstdint>
#include <string>

#include "activator/proxy/request_origin.h"
#include "activator/routing/route_table.h"
#include "core/base/check.h"
#include "core/http/address.h"
#include "core/http/bytes.h"
#include "core/http/message.h"

namespace updraft::fuzz {
namespace {

std::string PercentEncode(std::string_view text) {
  constexpr char digits[] = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    encoded.append({'%', digits[byte / 16], digits[byte % 16]});
  }
  return encoded;
}

void CheckPercentAndQuery(std::string_view text) {
  const Result<std::string> decoded = http::PercentDecode(PercentEncode(text));
  UPDRAFT_CHECK(decoded && *decoded == text);
  const Result<std::string> raw = http::PercentDecode(text);
  UPDRAFT_CHECK(!raw || raw->size() <= text.size());
  const auto parameters = http::ParseQuery(text);
  for (const auto& [name, value] : parameters)
    UPDRAFT_CHECK(name.size() + value.size() <= text.size());
  if (!parameters.empty())
    UPDRAFT_CHECK(http::QueryParameter(text, parameters.front().first) ==
                  parameters.front().second);
}

void CheckHost(std::string_view text) {
  const activator::HostName host(text);
  UPDRAFT_CHECK(host.view().size() <= text.size());
  const activator::HostName again(host.view());
  // Only a name of dots loses another one.
  UPDRAFT_CHECK(again.view() == host.view() || host.view().ends_with('.'));
}

void CheckAddress(std::string_view text) {
  const Result<http::SocketAddress> address = http::ParseAddress(text);
  if (!address || address->family() == AF_UNIX) return;
  const std::string formatted = http::FormatAddress(*address);
  const Result<http::SocketAddress> again = http::ParseAddress(formatted);
  UPDRAFT_CHECK(again && http::FormatAddress(*again) == formatted);
  UPDRAFT_CHECK(!activator::IpOf(formatted).empty());
}

void CheckBytes(std::string_view text) {
  UPDRAFT_CHECK(http::SpanOfValue(text, 0) == http::SpanOf(text, 0, http::kValueByte));
  UPDRAFT_CHECK(http::AllOf(http::SafeFieldValue(text), http::kValueByte));
  const size_t half = text.size() / 2;
  const bool has = http::ListHasToken(text, text.substr(0, half));
  UPDRAFT_CHECK(!has || half == 0 ||
                http::EqualsIgnoreCase(text.substr(0, half), text.substr(0, half)));
}

}  // namespace
}  // namespace updraft::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  updraft::fuzz::CheckPercentAndQuery(text);
  updraft::fuzz::CheckHost(text);
  updraft::fuzz::CheckAddress(text);
  updraft::fuzz::CheckBytes(text);
  return 0;
}
