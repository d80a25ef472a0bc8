#include "core/http/inherited_listeners.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace updraft::http {
namespace {

constexpr int kSystemdFirstFd = 3;

bool SameAddress(const SocketAddress& a, const SocketAddress& b) {
  if (a.family() != b.family()) return false;
  switch (a.family()) {
    case AF_INET:
      return a.v4.sin_port == b.v4.sin_port && a.v4.sin_addr.s_addr == b.v4.sin_addr.s_addr;
    case AF_INET6:
      return a.v6.sin6_port == b.v6.sin6_port &&
             memcmp(&a.v6.sin6_addr, &b.v6.sin6_addr, sizeof a.v6.sin6_addr) == 0;
    default:
      return strncmp(a.local.sun_path, b.local.sun_path, sizeof a.local.sun_path) == 0;
  }
}

int NumberFrom(const char* variable) {
  const char* text = getenv(variable);  // NOLINT: before threads
  if (text == nullptr) return 0;
  int number = 0;
  std::from_chars(text, text + strlen(text), number);
  return number;
}

}  // namespace

void InheritedListeners::Add(UniqueFd socket) {
  int listening = 0;
  socklen_t size = sizeof listening;
  if (getsockopt(socket.get(), SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0 || listening == 0)
    return;
  SocketAddress address;
  address.size = sizeof address.storage;
  if (getsockname(socket.get(), &address.any, &address.size) != 0) return;
  // As BindListener() makes them.
  fcntl(socket.get(), F_SETFL, fcntl(socket.get(), F_GETFL) | O_NONBLOCK);
  fcntl(socket.get(), F_SETFD, FD_CLOEXEC);
  const int on = 1;
  if (address.family() != AF_UNIX)
    setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockets_.push_back({std::move(socket), address});
}

void InheritedListeners::AddFromSystemd() {
  if (NumberFrom("LISTEN_PID") != getpid()) return;
  const int count = NumberFrom("LISTEN_FDS");
  for (int i = 0; i < count; ++i) Add(UniqueFd(kSystemdFirstFd + i));
}

std::vector<UniqueFd> InheritedListeners::For(const SocketAddress& address, uint32_t index,
                                              uint32_t servers) const {
  std::vector<int> there;
  for (const Inherited& inherited : sockets_) {
    if (SameAddress(inherited.address, address)) there.push_back(inherited.socket.get());
  }
  std::vector<UniqueFd> taken;
  const auto take = [&](size_t i) { taken.emplace_back(fcntl(there[i], F_DUPFD_CLOEXEC, 0)); };
  for (size_t i = index; i < there.size(); i += servers) take(i);
  if (taken.empty() && !there.empty()) take(index % there.size());
  return taken;
}

}  // namespace updraft::http
