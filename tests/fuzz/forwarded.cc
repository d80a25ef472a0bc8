#include "tests/fuzz/forwarded.h"

#include <cstdio>
#include <cstdlib>
#include <string>

#include "core/base/check.h"
#include "core/http/bytes.h"

namespace updraft::fuzz {
namespace {

activator::RequestBody BodyOf(http::BodyFraming framing) {
  if (framing == http::BodyFraming::kChunked) return activator::RequestBody::kChunked;
  if (framing == http::BodyFraming::kLength) return activator::RequestBody::kLength;
  return activator::RequestBody::kNone;
}

}  // namespace

void CheckForwarded(const http::RequestHead& head, http::BodyFraming body, bool upgrade) {
  for (const http::NamedHeader header : head.headers) {
    UPDRAFT_CHECK(http::AllOf(header.name, http::kTokenByte) && !header.name.empty());
    UPDRAFT_CHECK(http::AllOf(header.value, http::kValueByte));
  }
  activator::RequestOrigin origin;
  origin.client_ip = "192.0.2.1";
  origin.host = head.host().empty() ? "h" : head.host();
  origin.request_id = "id";
  http::HeadBuffer buffer;
  http::HeadWriter writer(buffer);
  WriteUpstreamHead(head, origin, {BodyOf(body), upgrade}, writer);
  const std::string forwarded(writer.written());

  http::HeadScanner scanner;
  const size_t size = scanner.Scan(forwarded);
  // What we add may make it too large: that is the instance's affair.
  if (scanner.refusal().status == 431 || scanner.refusal().status == 414) return;
  UPDRAFT_CHECK(size == forwarded.size());
  http::RequestHead again;
  http::Framing framing;
  const http::Refusal refusal = ParseRequestHead(forwarded, again, framing);
  if (refusal.status == 431) return;
  if (refusal) {
    std::fprintf(stderr, "%d %.*s\n%s\n", refusal.status, static_cast<int>(refusal.reason.size()),
                 refusal.reason.data(), forwarded.c_str());
    std::abort();
  }
  UPDRAFT_CHECK(again.method == head.method);
  UPDRAFT_CHECK(again.path() == head.path());
  UPDRAFT_CHECK(again.query() == head.query());
  UPDRAFT_CHECK(again.host() == origin.host);
  UPDRAFT_CHECK(framing.body == body);
  UPDRAFT_CHECK(framing.upgrade == upgrade);
  UPDRAFT_CHECK(framing.keep_alive);
}

}  // namespace updraft::fuzz
