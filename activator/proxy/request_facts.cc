#include "activator/proxy/request_facts.h"

namespace updraft::activator {
namespace {

template <size_t N>
void Note(const http::Header& header, const char (&name)[N], std::string_view& fact) {
  if (fact.empty() && http::NameIs(header.name, name)) fact = header.value;
}

}  // namespace

RequestFacts FactsOf(const http::Headers& headers) {
  RequestFacts facts;
  for (const http::NamedHeader header : headers) {
    switch (header.name.size()) {
      case 12:
        Note(header, "x-request-id", facts.request_id);
        break;
      case 14:
        Note(header, "k-network-hash", facts.network_hash);
        break;
      case 15:
        Note(header, "k-network-probe", facts.network_probe);
        break;
      case 19:
        Note(header, "knative-serving-tag", facts.route_tag);
        break;
      default:
        break;
    }
  }
  return facts;
}

}  // namespace updraft::activator
