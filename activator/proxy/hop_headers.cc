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

DeclaredHops::DeclaredHops(const http::Headers& headers) : headers_(headers) {
  constexpr http::FieldNames connection = In(http::FieldName::kConnection);
  if (!headers.MayHave(connection)) return;
  for (const http::NamedHeader header : headers) {
    if (header.Is(connection) && !IsOrdinary(header.value)) any_ = true;
  }
}

bool DeclaredHops::Find(std::string_view name) const {
  return headers_.HasToken("connection", name) && !IsProtected(name);
}

}  // namespace updraft::activator
