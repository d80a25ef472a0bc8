#include "core/http/acceptor.h"

#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/base/log.h"

namespace updraft::http {
namespace {

constexpr int kBacklog = 4096;  // the kernel cuts it to net.core.somaxconn
constexpr int kAcceptsPerTurnMax = 64;
constexpr Nanos kPause = Millis(50);
// So long the kernel keeps a connection to itself on which nothing has come. Who accepts sooner meets most clients between
// their handshake and their request: one wait more, a sixth of what a short connection costs.
constexpr int kFirstBytesSeconds = 1;

Error AcceptError(int error) {
  return {Code::kUnavailable, strerror(error)};
}  // NOLINT: glibc's is safe for threads

// What went wrong with one connection, or passes by itself, says nothing about the next.
bool IsTransient(int error) {
  return error == ECONNABORTED || error == EINTR || error == EPROTO || error == ENETDOWN ||
         error == EHOSTUNREACH;
}

}  // namespace

Result<UniqueFd> BindListener(const SocketAddress& address, PortSharing sharing) {
  UniqueFd fd(socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return AcceptError(errno);
  const int on = 1;
  if (address.family() == AF_UNIX) {
    unlink(address.local.sun_path);
  } else {
    setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // accepted sockets inherit it
    if (sharing == PortSharing::kShared)
      setsockopt(fd.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    if (address.family() == AF_INET6)
      setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  }
  if (bind(fd.get(), &address.any, address.size) != 0) return AcceptError(errno);
  if (listen(fd.get(), kBacklog) != 0) return AcceptError(errno);
  return fd;
}

uint16_t BoundPort(int fd) {
  SocketAddress address;
  address.size = sizeof address.storage;
  if (getsockname(fd, &address.any, &address.size) != 0) return 0;
  return address.port();
}

Acceptor::Acceptor(Loop& loop, UniqueFd socket, ConnectionSink& sink)
    : Timer(loop.timers()), loop_(loop), socket_(std::move(socket)), sink_(sink) {
  // No effect on a unix socket.
  setsockopt(socket_.get(), IPPROTO_TCP, TCP_DEFER_ACCEPT, &kFirstBytesSeconds, sizeof kFirstBytesSeconds);
  loop_.Watch(socket_.get(), EPOLLIN, this);
}

Acceptor::~Acceptor() { loop_.Unwatch(socket_.get(), this); }

void Acceptor::OnReady(uint32_t) {
  // What is left in the queue is told again next turn: to look until it is empty would cost a call
  // for nothing each time.
  for (int i = 0; i < accepts_next_; ++i) {
    const Outcome outcome = AcceptOne();
    if (outcome == Outcome::kPause) Pause();
    if (outcome != Outcome::kAccepted) {
      accepts_next_ = std::max(i, 1);
      return;
    }
  }
  accepts_next_ = std::min(accepts_next_ * 2, kAcceptsPerTurnMax);
}

void Acceptor::AcceptWhatWaits() {
  while (AcceptOne() == Outcome::kAccepted) {
  }
}

Acceptor::Outcome Acceptor::AcceptOne() {
  if (!sink_.WantsConnections()) return Outcome::kPause;
  SocketAddress peer;
  peer.size = sizeof peer.storage;
  UniqueFd fd(accept4(socket_.get(), &peer.any, &peer.size, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (fd) {
    complained_ = false;
    sink_.OnConnection(std::move(fd), FormatAddress(peer));
    return Outcome::kAccepted;
  }
  if (IsTransient(errno)) return Outcome::kAccepted;
  if (errno == EAGAIN) return Outcome::kNone;
  if (!complained_)
    Log(Level::kWarn, "accept_failed", {{"error", strerror(errno)}});  // NOLINT: as above
  complained_ = true;
  return Outcome::kPause;
}

void Acceptor::Pause() {
  if (armed()) return;
  loop_.Modify(socket_.get(), 0, this);
  Set(loop_.Now() + kPause);
}

void Acceptor::OnTimer() {
  loop_.Modify(socket_.get(), EPOLLIN, this);
  OnReady(EPOLLIN);
}

}  // namespace updraft::http
