#include "core/http/response_facts.h"

#include <charconv>

namespace updraft::http {

ResponseFacts FactsOf(const Headers& headers) {
  ResponseFacts facts;
  for (const Header header : headers) {
    switch (header.name.size()) {
      case 4:
        facts.date |= NameIs(header.name, "date");
        break;
      case 10:
        facts.close |= NameIs(header.name, "connection") && ListHasToken(header.value, "close");
        break;
      case 14: {
        uint64_t length = 0;
        const char* const end = header.value.data() + header.value.size();
        const bool is_length = NameIs(header.name, "content-length");
        if (is_length && std::from_chars(header.value.data(), end, length).ptr == end)
          facts.length = length;
        break;
      }
      default:
        break;
    }
  }
  return facts;
}

bool IsBodiless(const RequestHead& request, int status) {
  return status == 204 || status == 304 || request.method == "HEAD";
}

}  // namespace updraft::http
