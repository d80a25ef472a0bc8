#include "node-agent/session/inside_socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "node-agent/network/netns.h"

namespace updraft::node_agent {
namespace {

Error Refused(uint16_t port, int error) {
  return {Code::kUnavailable, "connect to localhost:" + std::to_string(port) + " inside: " + std::strerror(error)};
}

int Connect(int fd, uint16_t port, Loopback address) {
  if (address == Loopback::kIpv4) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to);
  }
  sockaddr_in6 to{};
  to.sin6_family = AF_INET6;
  to.sin6_port = htons(port);
  to.sin6_addr = in6addr_loopback;
  return connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to);
}

}  // namespace

Result<UniqueFd> StartConnectingInside(const std::string& namespace_path, uint16_t port, Loopback address) {
  // A socket belongs to the namespace that it was made in, wherever it is used.
  UniqueFd fd;
  const int family = address == Loopback::kIpv4 ? AF_INET : AF_INET6;
  const Status entered = RunInNamespace(namespace_path, [&fd, family] {
    fd.Reset(socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  });
  if (!entered) return entered.error();
  if (!fd) return Error{Code::kResourceExhausted, "no socket could be made"};
  if (Connect(fd.get(), port, address) != 0 && errno != EINPROGRESS) return Refused(port, errno);
  return fd;
}

Status ConnectOutcome(int fd, uint16_t port) {
  int error = 0;
  socklen_t length = sizeof error;
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0) error = errno;
  return error == 0 ? Ok() : Status(Refused(port, error));
}

}  // namespace updraft::node_agent
