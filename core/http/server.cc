#include "core/http/server.h"

#include "core/http/acceptor.h"
#include "core/http/address.h"
#include "core/http/server_connections.h"

namespace updraft::http {

Server::Server(Loop& loop, ServerOptions options, Handler handler)
    : loop_(loop),
      reuse_port_(options.reuse_port),
      connections_(std::make_unique<ServerConnections>(loop, options, std::move(handler))) {}

Server::~Server() = default;

Result<uint16_t> Server::Listen(const std::string& address) {
  const Result<SocketAddress> parsed = ParseAddress(address);
  if (!parsed) return parsed.error();
  Result<UniqueFd> socket =
      BindListener(*parsed, reuse_port_ ? PortSharing::kShared : PortSharing::kExclusive);
  if (!socket) return Context("listen on " + address, socket.error());
  const uint16_t port = BoundPort(socket->get());
  ListenAt(*std::move(socket));
  return port;
}

void Server::ListenAt(UniqueFd socket) {
  acceptors_.push_back(std::make_unique<Acceptor>(loop_, std::move(socket), *connections_));
}

std::vector<int> Server::listening_sockets() const {
  std::vector<int> sockets;
  for (const auto& acceptor : acceptors_) sockets.push_back(acceptor->socket());
  return sockets;
}

void Server::StopAccepting() {
  for (const auto& acceptor : acceptors_) acceptor->AcceptWhatWaits();
  acceptors_.clear();
}

void Server::Drain(TimePoint deadline, std::function<void()> done) {
  StopAccepting();
  connections_->Drain(deadline, std::move(done));
}

size_t Server::connection_count() const { return connections_->count(); }

}  // namespace updraft::http
