#include "core/http/server.h"

#include "core/http/acceptor.h"
#include "core/http/address.h"
#include "core/http/server_connections.h"

namespace updraft::http {

// Brings what it accepts to the server's connections, and says how they begin.
class Listener final : private ConnectionSink {
 public:
  Listener(Loop& loop, UniqueFd socket, ServerConnections& connections, ListenOptions how)
      : connections_(connections), how_(how), acceptor_(loop, std::move(socket), *this) {}

  void AcceptWhatWaits() { acceptor_.AcceptWhatWaits(); }
  int socket() const { return acceptor_.socket(); }

 private:
  void OnConnection(UniqueFd socket, std::string peer) override {
    connections_.Begin(std::move(socket), std::move(peer), how_);
  }
  bool WantsConnections() const override { return connections_.WantsMore(); }

  ServerConnections& connections_;
  const ListenOptions how_;
  Acceptor acceptor_;
};

Server::Server(Loop& loop, ServerOptions options, Handler handler)
    : loop_(loop),
      reuse_port_(options.reuse_port),
      connections_(std::make_unique<ServerConnections>(loop, options, std::move(handler))) {}

Server::~Server() = default;

Result<uint16_t> Server::Listen(const std::string& address, ListenOptions how) {
  const Result<SocketAddress> parsed = ParseAddress(address);
  if (!parsed) return parsed.error();
  Result<UniqueFd> socket =
      BindListener(*parsed, reuse_port_ ? PortSharing::kShared : PortSharing::kExclusive);
  if (!socket) return Context("listen on " + address, socket.error());
  const uint16_t port = BoundPort(socket->get());
  ListenAt(*std::move(socket), how);
  return port;
}

void Server::ListenAt(UniqueFd socket, ListenOptions how) {
  listeners_.push_back(std::make_unique<Listener>(loop_, std::move(socket), *connections_, how));
}

std::vector<int> Server::listening_sockets() const {
  std::vector<int> sockets;
  for (const auto& listener : listeners_) sockets.push_back(listener->socket());
  return sockets;
}

void Server::StopAccepting() {
  for (const auto& listener : listeners_) listener->AcceptWhatWaits();
  listeners_.clear();
}

void Server::Drain(TimePoint deadline, std::function<void()> done) {
  StopAccepting();
  connections_->Drain(deadline, std::move(done));
}

size_t Server::connection_count() const { return connections_->count(); }

}  // namespace updraft::http
