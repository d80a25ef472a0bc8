#include "activator/proxy/response_head.h"

#include "activator/proxy/hop_headers.h"

namespace updraft::activator {

void CleanResponseHead(http::ResponseHead& head, std::string_view server_timing) {
  const DeclaredHops declared(head.headers);
  const bool upgraded = head.status == 101;
  head.headers.RemoveIf([&declared, upgraded](std::string_view name) {
    if (upgraded && http::NameIs(name, "upgrade")) return false;
    return IsHopByHop(name) || declared.Has(name);
  });
  if (!server_timing.empty()) head.headers.Add("Server-Timing", server_timing);
}

}  // namespace updraft::activator
