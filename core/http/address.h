// Socket addresses as text and as the kernel has them. Pure.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace updraft::http {

struct SocketAddress {
  union {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
    sockaddr_un local;
    sockaddr_storage storage;
  };
  socklen_t size = 0;

  constexpr SocketAddress() : storage{} {}  // NOLINT(cppcoreguidelines-pro-type-member-init): a union
  int family() const { return any.sa_family; }
  uint16_t port() const;  // 0 for a unix socket
};

// "ip:port", "[ip]:port" or "unix:/path".
Result<SocketAddress> ParseAddress(std::string_view text);

// The reverse; "unix" for a unix socket.
std::string FormatAddress(const SocketAddress& address);

}  // namespace updraft::http
