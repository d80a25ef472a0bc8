#include "node-agent/probe/peer_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cerrno>

namespace updraft::node_agent {

Result<PeerAddress> PeerAddress::Of(const std::string& ip, uint16_t port) {
  PeerAddress peer;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&peer.storage);
  if (inet_pton(AF_INET, ip.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    peer.length = sizeof(sockaddr_in);
    return peer;
  }
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&peer.storage);
  if (inet_pton(AF_INET6, ip.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    peer.length = sizeof(sockaddr_in6);
    return peer;
  }
  return Error{Code::kInvalidArgument, "\"" + ip + "\" is not an IP address"};
}

std::string HostPort(const std::string& ip, uint16_t port) {
  const bool v6 = ip.find(':') != std::string::npos;
  return (v6 ? "[" + ip + "]" : ip) + ":" + std::to_string(port);
}

Connecting StartConnect(const PeerAddress& peer) {
  Connecting connecting;
  connecting.fd.Reset(
      socket(peer.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!connecting.fd) {
    connecting.error = errno;
  } else if (connect(connecting.fd.get(), reinterpret_cast<const sockaddr*>(&peer.storage),
                     peer.length) == 0) {
    connecting.connected = true;
  } else if (errno != EINPROGRESS) {
    connecting.error = errno;
  }
  return connecting;
}

int ConnectError(int fd) {
  int error = 0;
  socklen_t length = sizeof error;
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0) return errno;
  return error;
}

}  // namespace updraft::node_agent
