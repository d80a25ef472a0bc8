#include "activator/proxy/upstream_head.h"

#include <algorithm>
#include <optional>

#include "activator/proxy/hop_headers.h"
#include "core/http/bytes.h"

namespace updraft::activator {
namespace {

using http::EqualsIgnoreCase;

bool HasPrefix(std::string_view name, std::string_view prefix) {
  return name.size() >= prefix.size() && EqualsIgnoreCase(name.substr(0, prefix.size()), prefix);
}

// Names under which Updraft and Knative speak among their own parts; from outside they are forged.
bool IsInternal(std::string_view name) {
  const char first = name.front();
  if (first == 'k' || first == 'K')
    return HasPrefix(name, "k-") || HasPrefix(name, "knative-serving-");
  return false;
}

// What came in the request of the fields that are completed.
struct Seen {
  std::string_view forwarded_proto;
  std::string_view forwarded_host;
  bool forwarded = false;
  bool request_id = false;
  bool old_client = false;  // speaks HTTP/1.0
};

// Notes the field if it is one of those; true: it is written anew, not passed on.
bool Note(const http::NamedHeader& header, Seen& seen, std::string& forwarded_for) {
  switch (header.name.size()) {
    case 4:
      return header.known == http::FieldName::kHost;
    case 6:
      // Means nothing in HTTP/1.0, and would in what we make of it.
      return seen.old_client && header.known == http::FieldName::kExpect;
    case 9:
      if (http::NameIs(header.name, "forwarded")) seen.forwarded = true;
      return false;
    case 12:
      if (!http::NameIs(header.name, "x-request-id")) return false;
      seen.request_id |= !header.value.empty();
      return header.value.empty();
    case 15:
      if (!http::NameIs(header.name, "x-forwarded-for")) return false;
      if (!forwarded_for.empty()) forwarded_for.append(", ");
      forwarded_for.append(header.value);
      return true;
    case 16:
      if (http::NameIs(header.name, "x-forwarded-host")) seen.forwarded_host = header.value;
      return false;
    case 17:
      if (http::NameIs(header.name, "x-forwarded-proto")) seen.forwarded_proto = header.value;
      return false;
    default:
      return false;
  }
}

// An address as Forwarded wants it: an IPv6 one in brackets and quotes, what is none not at all.
void WriteNode(http::HeadWriter& out, std::string_view ip) {
  if (ip.empty() || !http::AllOf(ip, http::kAddressByte)) ip = "unknown";
  const bool v6 = ip.find(':') != std::string_view::npos;
  out.Literal("for=");
  if (v6) out.Literal("\"[");
  out.Text(ip);
  if (v6) out.Literal("]\"");
}

template <size_t N>
void WriteParameter(http::HeadWriter& out, const char (&name)[N], std::string_view value) {
  const unsigned kinds = http::KindsOf(value);
  if (value.empty() || (kinds & http::kHostByte) == 0) return;
  const bool token = (kinds & http::kTokenByte) != 0;
  out.Literal(name);
  if (!token) out.Literal("\"");
  out.Text(value);
  if (!token) out.Literal("\"");
}

// RFC 7239 from the X-Forwarded-* fields: "for=a;host=h;proto=p, for=b".
void WriteForwarded(http::HeadWriter& out, std::string_view addresses, std::string_view host,
                    std::string_view proto) {
  out.Literal("Forwarded: ");
  for (bool first = true; first || !addresses.empty(); first = false) {
    const size_t comma = std::min(addresses.find(','), addresses.size());
    std::string_view ip = addresses.substr(0, comma);
    addresses.remove_prefix(std::min(comma + 1, addresses.size()));
    while (ip.starts_with(' ')) ip.remove_prefix(1);
    while (ip.ends_with(' ')) ip.remove_suffix(1);
    if (!first) out.Literal(", ");
    WriteNode(out, ip);
    if (!first) continue;
    WriteParameter(out, ";host=", host);
    if (proto == "http") {  // most are
      out.Literal(";proto=http");
    } else {
      WriteParameter(out, ";proto=", proto);
    }
  }
  out.Literal("\r\n");
}

void WriteOriginForm(http::HeadWriter& out, const http::RequestHead& request) {
  if (request.target.front() == '/' || request.target == "*") {
    out.Text(request.target);
    return;
  }
  out.Text(request.path());
  if (request.query().empty()) return;
  out.Literal("?");
  out.Text(request.query());
}

void WriteForwarding(http::HeadWriter& out, const RequestOrigin& origin, const Seen& seen,
                     std::string forwarded_for) {
  if (!origin.client_ip.empty()) {
    if (!forwarded_for.empty()) forwarded_for.append(", ");
    forwarded_for.append(origin.client_ip);
  }
  if (!forwarded_for.empty()) out.Field("X-Forwarded-For", forwarded_for);
  const std::string_view proto =
      seen.forwarded_proto.empty() ? origin.scheme : seen.forwarded_proto;
  const std::string_view host = seen.forwarded_host.empty() ? origin.host : seen.forwarded_host;
  if (seen.forwarded_proto.empty()) out.Field("X-Forwarded-Proto", proto);
  if (seen.forwarded_host.empty()) out.Field("X-Forwarded-Host", host);
  if (!seen.forwarded) WriteForwarded(out, forwarded_for, host, proto);
}

}  // namespace

void WriteUpstreamHead(const http::RequestHead& request, const RequestOrigin& origin,
                       const UpstreamHeadOptions& options, http::HeadWriter& out) {
  const DeclaredHops declared(request.headers);
  Seen seen;
  seen.old_client = request.minor_version == 0;
  std::string forwarded_for;
  out.Text(request.method);
  out.Literal(" ");
  WriteOriginForm(out, request);
  out.Literal(" HTTP/1.1\r\n");
  out.Field("Host", origin.host);
  out.Fields(request.headers, [&](const http::NamedHeader& header) {
    return !header.Is(kHopByHop) && !IsInternal(header.name) && !declared.Has(header.name) &&
           !Note(header, seen, forwarded_for);
  });
  if (options.body == RequestBody::kChunked) out.Literal("Transfer-Encoding: chunked\r\n");
  if (options.upgrade) {
    out.Literal("Connection: Upgrade\r\n");
    out.Field("Upgrade", request.headers.Get(http::FieldName::kUpgrade).value_or(""));
  }
  WriteForwarding(out, origin, seen, std::move(forwarded_for));
  if (!seen.request_id) out.Field("X-Request-Id", origin.request_id);
  if (!origin.route_tag.empty()) out.Field("Knative-Serving-Tag", origin.route_tag);
  if (origin.default_route) out.Literal("Knative-Serving-Default-Route: true\r\n");
  out.Literal("\r\n");
}

std::string_view IpOf(std::string_view peer) {
  const size_t colon = peer.rfind(':');
  if (colon == std::string_view::npos) return {};
  const std::string_view host = peer.substr(0, colon);
  if (host.size() > 2 && host.front() == '[') return host.substr(1, host.size() - 2);
  return host;
}

}  // namespace updraft::activator
