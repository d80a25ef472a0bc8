#include "activator/proxy/hop_headers.h"

#include <algorithm>
#include <array>

namespace updraft::activator {
namespace {

using http::EqualsIgnoreCase;

constexpr std::array<std::string_view, 6> kProtected = {
    "host", "content-length", "content-type", "authorization", "cookie", "x-request-id"};

bool IsProtected(std::string_view name) {
  const auto same = [name](std::string_view other) { return EqualsIgnoreCase(name, other); };
  return std::ranges::any_of(kProtected, same) ||
         EqualsIgnoreCase(name.substr(0, 12), "x-forwarded-") || http::NameIs(name, "forwarded");
}

bool IsOrdinary(std::string_view value) {
  return EqualsIgnoreCase(value, "close") || EqualsIgnoreCase(value, "keep-alive") ||
         EqualsIgnoreCase(value, "upgrade");
}

}  // namespace

bool IsHopByHop(std::string_view name) {
  return http::NameIs(name, "connection") || http::NameIs(name, "transfer-encoding") ||
         http::NameIs(name, "te") || http::NameIs(name, "upgrade") ||
         http::NameIs(name, "keep-alive") || http::NameIs(name, "proxy-connection");
}

DeclaredHops::DeclaredHops(const http::Headers& headers) : headers_(headers) {
  for (const http::Header header : headers) {
    if (http::NameIs(header.name, "connection") && !IsOrdinary(header.value)) any_ = true;
  }
}

bool DeclaredHops::Find(std::string_view name) const {
  return headers_.HasToken("connection", name) && !IsProtected(name);
}

}  // namespace updraft::activator
