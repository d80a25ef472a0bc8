#include "activator/proxy/upstream_head.h"

#include <algorithm>
#include <optional>

#include "activator/proxy/hop_headers.h"
#include "core/http/bytes.h"
#include "core/http/serialize.h"

namespace updraft::activator {
namespace {

using http::AppendField;
using http::EqualsIgnoreCase;

bool HasPrefix(std::string_view name, std::string_view prefix) {
  return name.size() >= prefix.size() && EqualsIgnoreCase(name.substr(0, prefix.size()), prefix);
}

// Names under which Updraft and Knative speak among their own parts; from outside they are forged.
bool IsInternal(std::string_view name) {
  const char first = name.front();
  if (first == 'k' || first == 'K') return HasPrefix(name, "k-") || HasPrefix(name, "knative-serving-");
  return false;
}

// What came in the request of the fields that are completed.
struct Seen {
  std::string_view forwarded_for;  // of the last one
  std::string_view forwarded_proto;
  std::string_view forwarded_host;
  bool forwarded = false;
  bool request_id = false;
};

// Notes the field if it is one of those; true: it is written anew, not passed on.
bool Note(const http::Header& header, Seen& seen, std::string& forwarded_for) {
  switch (header.name.size()) {
    case 9:
      if (EqualsIgnoreCase(header.name, "forwarded")) seen.forwarded = true;
      return false;
    case 12:
      if (!EqualsIgnoreCase(header.name, "x-request-id")) return false;
      seen.request_id |= !header.value.empty();
      return header.value.empty();
    case 15:
      if (!EqualsIgnoreCase(header.name, "x-forwarded-for")) return false;
      if (!forwarded_for.empty()) forwarded_for.append(", ");
      forwarded_for.append(header.value);
      return true;
    case 16:
      if (EqualsIgnoreCase(header.name, "x-forwarded-host")) seen.forwarded_host = header.value;
      return false;
    case 17:
      if (EqualsIgnoreCase(header.name, "x-forwarded-proto")) seen.forwarded_proto = header.value;
      return false;
    default:
      return false;
  }
}

// An address as Forwarded wants it: an IPv6 one in brackets and quotes, what is none not at all.
void AppendNode(std::string& out, std::string_view ip) {
  const bool valid = !ip.empty() && ip.find_first_not_of("0123456789abcdefABCDEF:.") == std::string_view::npos;
  const bool v6 = ip.find(':') != std::string_view::npos;
  if (valid) {
    out.append(v6 ? "for=\"[" : "for=").append(ip).append(v6 ? "]\"" : "");
  } else {
    out.append("for=unknown");
  }
}

void AppendParameter(std::string& out, std::string_view name, std::string_view value) {
  if (value.empty() || value.find_first_of("\"\\") != std::string_view::npos) return;
  const bool token = http::AllOf(value, http::kTokenByte);
  out.append(";").append(name).append(token ? "=" : "=\"").append(value).append(token ? "" : "\"");
}

// RFC 7239 from the X-Forwarded-* fields: "for=a;host=h;proto=p, for=b".
void AppendForwarded(std::string_view addresses, std::string_view host, std::string_view proto, std::string& out) {
  out.append("Forwarded: ");
  bool first = true;
  while (first || !addresses.empty()) {
    const size_t comma = std::min(addresses.find(','), addresses.size());
    std::string_view ip = addresses.substr(0, comma);
    addresses.remove_prefix(std::min(comma + 1, addresses.size()));
    while (ip.starts_with(' ')) ip.remove_prefix(1);
    while (ip.ends_with(' ')) ip.remove_suffix(1);
    if (!first) out.append(", ");
    AppendNode(out, ip);
    if (first) {
      AppendParameter(out, "host", host);
      AppendParameter(out, "proto", proto);
    }
    first = false;
  }
  out.append("\r\n");
}

void AppendOriginForm(const http::RequestHead& request, std::string& out) {
  if (request.target.front() == '/' || request.target == "*") {
    out.append(request.target);
    return;
  }
  out.append(request.path());
  if (!request.query().empty()) out.append("?").append(request.query());
}

}  // namespace

void AppendUpstreamHead(const http::RequestHead& request, const RequestOrigin& origin,
                        const UpstreamHeadOptions& options, std::string& out) {
  out.append(request.method).append(" ");
  AppendOriginForm(request, out);
  out.append(" HTTP/1.1\r\nHost: ").append(origin.host).append("\r\n");
  const DeclaredHops declared(request.headers);
  Seen seen;
  std::string forwarded_for;
  for (const http::Header header : request.headers) {
    if (IsHopByHop(header.name) || IsInternal(header.name) || declared.Has(header.name)) continue;
    if (header.name.size() == 4 && EqualsIgnoreCase(header.name, "host")) continue;
    if (Note(header, seen, forwarded_for)) continue;
    AppendField(out, header.name, header.value);
  }
  if (options.body == RequestBody::kChunked) out.append("Transfer-Encoding: chunked\r\n");
  if (options.upgrade) {
    out.append("Connection: Upgrade\r\n");
    AppendField(out, "Upgrade", request.headers.Get("upgrade").value_or(""));
  }
  if (!origin.client_ip.empty()) {
    if (!forwarded_for.empty()) forwarded_for.append(", ");
    forwarded_for.append(origin.client_ip);
  }
  if (!forwarded_for.empty()) AppendField(out, "X-Forwarded-For", forwarded_for);
  const std::string_view proto = seen.forwarded_proto.empty() ? origin.scheme : seen.forwarded_proto;
  const std::string_view host = seen.forwarded_host.empty() ? origin.host : seen.forwarded_host;
  if (seen.forwarded_proto.empty()) AppendField(out, "X-Forwarded-Proto", proto);
  if (seen.forwarded_host.empty()) AppendField(out, "X-Forwarded-Host", host);
  if (!seen.forwarded) AppendForwarded(forwarded_for, host, proto, out);
  if (!seen.request_id) AppendField(out, "X-Request-Id", origin.request_id);
  out.append("\r\n");
}

std::string_view IpOf(std::string_view peer) {
  const size_t colon = peer.rfind(':');
  if (colon == std::string_view::npos) return {};
  const std::string_view host = peer.substr(0, colon);
  if (host.size() > 2 && host.front() == '[') return host.substr(1, host.size() - 2);
  return host;
}

}  // namespace updraft::activator
