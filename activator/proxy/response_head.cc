#include "activator/proxy/response_head.h"

#include "activator/proxy/hop_headers.h"

namespace updraft::activator {

void CleanResponseHead(http::ResponseHead& head, std::string_view server_timing) {
  if (head.headers.MayHave(kHopByHop)) {
    const DeclaredHops declared(head.headers);
    const bool upgraded = head.status == 101;
    head.headers.RemoveIf([&declared, upgraded](const http::NamedHeader& header) {
      if (upgraded && header.known == http::FieldName::kUpgrade) return false;
      return header.Is(kHopByHop) || declared.Has(header.name);
    });
  }
  if (!server_timing.empty()) head.headers.Add("Server-Timing", server_timing);
}

}  // namespace updraft::activator
