#include "activator/proxy/upstream_fields.h"

#include <algorithm>

namespace updraft::activator {
namespace {

// What stands before the first `end`, which is taken off with it and the byte behind.
std::string_view TakeUntil(std::string_view& text, char end) {
  const std::string_view taken = text.substr(0, text.find(end));
  text.remove_prefix(std::min(taken.size() + 2, text.size()));
  return taken;
}

}  // namespace

UpstreamFields::UpstreamFields(const http::RequestHead& request, std::string_view head) {
  const std::string_view line = TakeUntil(head, '\r');
  const size_t path = request.method.size() + 1;
  std::string_view host = TakeUntil(head, '\r');  // always the first
  TakeUntil(host, ':');
  Add(":method", request.method);
  Add(":scheme", "http");
  Add(":authority", host);
  Add(":path", line.substr(path, line.size() - path - std::string_view(" HTTP/1.1").size()));
  while (head.size() > 2) {
    std::string_view field = TakeUntil(head, '\r');
    const std::string_view name = TakeUntil(field, ':');
    Add(name, field);
  }
  // It ends at a proxy but for this one meaning, which gRPC asks for (RFC 9113, 8.2.2).
  if (request.headers.HasToken("te", "trailers")) Add("te", "trailers");
}

void UpstreamFields::Add(std::string_view name, std::string_view value) {
  if (count_ < kMax) fields_[count_++] = {name, value};
}

}  // namespace updraft::activator
