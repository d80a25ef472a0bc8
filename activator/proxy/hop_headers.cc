#include "activator/proxy/hop_headers.h"

#include <algorithm>
#include <array>

namespace updraft::activator {
namespace {

using http::EqualsIgnoreCase;

constexpr std::array<std::string_view, 6> kProtected = {"host",           "content-length", "content-type",
                                                        "authorization",  "cookie",         "x-request-id"};

bool IsProtected(std::string_view name) {
  const auto same = [name](std::string_view other) { return EqualsIgnoreCase(name, other); };
  return std::ranges::any_of(kProtected, same) || EqualsIgnoreCase(name.substr(0, 12), "x-forwarded-") ||
         EqualsIgnoreCase(name, "forwarded");
}

bool IsOrdinary(std::string_view value) {
  return EqualsIgnoreCase(value, "close") || EqualsIgnoreCase(value, "keep-alive") || EqualsIgnoreCase(value, "upgrade");
}

}  // namespace

bool IsHopByHop(std::string_view name) {
  switch (name.size()) {
    case 2:
      return EqualsIgnoreCase(name, "te");
    case 7:
      return EqualsIgnoreCase(name, "upgrade");
    case 10:
      return EqualsIgnoreCase(name, "connection") || EqualsIgnoreCase(name, "keep-alive");
    case 16:
      return EqualsIgnoreCase(name, "proxy-connection");
    case 17:
      return EqualsIgnoreCase(name, "transfer-encoding");
    default:
      return false;
  }
}

DeclaredHops::DeclaredHops(const http::Headers& headers) : headers_(headers) {
  for (const http::Header header : headers) {
    if (header.name.size() == 10 && EqualsIgnoreCase(header.name, "connection") && !IsOrdinary(header.value)) any_ = true;
  }
}

bool DeclaredHops::Find(std::string_view name) const {
  return headers_.HasToken("connection", name) && !IsProtected(name);
}

}  // namespace updraft::activator
