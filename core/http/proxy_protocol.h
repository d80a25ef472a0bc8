// The header that load balancers put before a connection's bytes, to say whose connection it is
// (PROXY protocol, versions 1 and 2). Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/http/address.h"

namespace updraft::http {

// Longer headers than this are refused: balancers send tens of bytes, at most a few hundred.
inline constexpr size_t kProxyHeaderBytesMax = 4096;

struct ProxyHeader {
  enum class State : uint8_t {
    kIncomplete,  // what is there may be the start of one
    kComplete,
    kMalformed,
  };
  State state = State::kIncomplete;
  size_t size = 0;                                     // with kComplete
  std::optional<SocketAddress> source = std::nullopt;  // not set: whoever opened the connection
};

// Of the first bytes of a connection. Addresses of sockets other than TCP's are not taken over.
ProxyHeader ParseProxyHeader(std::string_view bytes);

}  // namespace updraft::http
