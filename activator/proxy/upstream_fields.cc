#include "activator/proxy/upstream_fields.h"

namespace updraft::activator {
namespace {

// What stands before `end`, which is taken off with it.
std::string_view TakeUntil(std::string_view& text, std::string_view end) {
  const std::string_view taken = text.substr(0, text.find(end));
  text.remove_prefix(taken.size() + end.size());
  return taken;
}

}  // namespace

UpstreamFields::UpstreamFields(const http::RequestHead& request, std::string_view head) {
  std::string_view line = TakeUntil(head, "\r\n");
  Add(":method", TakeUntil(line, " "));
  Add(":scheme", "http");
  std::string_view host = TakeUntil(head, "\r\n");  // always the first
  TakeUntil(host, ": ");
  Add(":authority", host);
  Add(":path", TakeUntil(line, " "));
  while (head.size() > 2) {
    std::string_view field = TakeUntil(head, "\r\n");
    const std::string_view name = TakeUntil(field, ": ");
    Add(name, field);
  }
  // It ends at a proxy but for this one meaning, which gRPC asks for (RFC 9113, 8.2.2).
  if (request.headers.HasToken("te", "trailers")) Add("te", "trailers");
}

void UpstreamFields::Add(std::string_view name, std::string_view value) {
  if (count_ < kMax) fields_[count_++] = {name, value};
}

}  // namespace updraft::activator
