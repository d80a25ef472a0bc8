#include "activator/inside/name_server.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <utility>

#include "core/http/address.h"

namespace updraft::activator {
namespace {

constexpr size_t kQueryBytesMax = 1232;  // what resolvers keep to, so that nothing is fragmented
constexpr int kQueriesPerTurnMax = 64;

}  // namespace

Result<std::unique_ptr<NameServer>> NameServer::Listen(Loop& loop, const std::string& address,
                                                       std::function<bool(std::string_view)> knows) {
  const Result<http::SocketAddress> parsed = http::ParseAddress(address);
  if (!parsed) return parsed.error();
  if (parsed->family() != AF_INET) return Error{Code::kInvalidArgument, address + ": not an address of IPv4"};
  UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int yes = 1;
  // Whoever takes over from us listens before we stop.
  if (!socket || setsockopt(socket.get(), SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes) != 0 ||
      bind(socket.get(), &parsed->any, parsed->size) != 0) {
    return Error{Code::kUnavailable, address + ": " + std::strerror(errno)};
  }
  DnsZone zone{.address = std::bit_cast<std::array<uint8_t, 4>>(parsed->v4.sin_addr.s_addr),
               .knows = std::move(knows)};
  return std::unique_ptr<NameServer>(new NameServer(loop, std::move(socket), std::move(zone)));
}

NameServer::NameServer(Loop& loop, UniqueFd socket, DnsZone zone)
    : loop_(loop), socket_(std::move(socket)), zone_(std::move(zone)) {
  loop_.Watch(socket_.get(), EPOLLIN, this);
}

NameServer::~NameServer() { loop_.Unwatch(socket_.get(), this); }

void NameServer::OnReady(uint32_t) {
  std::array<char, kQueryBytesMax> query{};
  for (int i = 0; i < kQueriesPerTurnMax; ++i) {
    http::SocketAddress from;
    from.size = sizeof from.storage;
    const ssize_t size = recvfrom(socket_.get(), query.data(), query.size(), 0, &from.any, &from.size);
    if (size < 0) return;
    const auto answer = AnswerDns({query.data(), static_cast<size_t>(size)}, zone_);
    // One that cannot be sent now is asked for again.
    if (answer) (void)sendto(socket_.get(), answer->data(), answer->size(), MSG_DONTWAIT, &from.any, from.size);
  }
}

}  // namespace updraft::activator
