#include "core/http/response_facts.h"

#include <charconv>

namespace updraft::http {

ResponseFacts FactsOf(const Headers& headers) {
  ResponseFacts facts;
  constexpr FieldNames told = In(FieldName::kDate) | In(FieldName::kConnection) | In(FieldName::kContentLength);
  if (!headers.MayHave(told)) return facts;
  for (const NamedHeader header : headers) {
    if (header.known == FieldName::kDate) facts.date = true;
    if (header.known == FieldName::kConnection) facts.close |= ListHasToken(header.value, "close");
    if (header.known != FieldName::kContentLength) continue;
    uint64_t length = 0;
    const char* const end = header.value.data() + header.value.size();
    if (std::from_chars(header.value.data(), end, length).ptr == end) facts.length = length;
  }
  return facts;
}

bool IsBodiless(const RequestHead& request, int status) {
  return status == 204 || status == 304 || request.method == "HEAD";
}

}  // namespace updraft::http
