// Where a probe connects to, and the beginning of a connection that blocks nobody.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>

#include "core/base/result.h"
#include "core/base/unique_fd.h"

namespace updraft::node_agent {

struct PeerAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;

  // `ip` in numbers, IPv4 or IPv6.
  static Result<PeerAddress> Of(const std::string& ip, uint16_t port);
};

// "10.89.0.5:8080", "[fd00::5]:8080".
std::string HostPort(const std::string& ip, uint16_t port);

struct Connecting {
  UniqueFd fd;
  int error = 0;           // errno; 0: connected or under way
  bool connected = false;  // otherwise writable readiness tells, and then ConnectError()
};

Connecting StartConnect(const PeerAddress& peer);

// How a connect that was under way ended; 0: connected.
int ConnectError(int fd);

}  // namespace updraft::node_agent
