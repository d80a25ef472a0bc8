// Which header fields end at a proxy. Pure.
#pragma once

#include <string_view>

#include "core/http/message.h"

namespace updraft::activator {

// Fields about one connection.
inline constexpr http::FieldNames kHopByHop =
    In(http::FieldName::kConnection) | In(http::FieldName::kKeepAlive) |
    In(http::FieldName::kProxyConnection) | In(http::FieldName::kTe) |
    In(http::FieldName::kTransferEncoding) | In(http::FieldName::kUpgrade);

// The fields that a message's own Connection field declares to be about one connection. A field
// that carries routing or framing is never one, whatever a client declares.
class DeclaredHops {
 public:
  explicit DeclaredHops(const http::Headers& headers);
  bool Has(std::string_view name) const { return any_ && Find(name); }

 private:
  bool Find(std::string_view name) const;

  const http::Headers& headers_;
  bool any_ = false;  // beside close, keep-alive and upgrade
};

}  // namespace updraft::activator
