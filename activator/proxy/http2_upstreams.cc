#include "activator/proxy/http2_upstreams.h"

#include "core/http/address.h"

namespace updraft::activator {
namespace {

constexpr Nanos kLookEvery = Seconds(5);

}  // namespace

std::shared_ptr<http::Http2ClientConnection> Http2Upstreams::Find(const std::string& instance_id) {
  const auto found = connections_.find(instance_id);
  if (found == connections_.end()) return nullptr;
  for (const auto& connection : found->second) {
    if (connection->has_room() && connection->exchanges() < limits_.requests_per_connection_max)
      return connection;
  }
  return nullptr;
}

Result<std::shared_ptr<http::Http2ClientConnection>> Http2Upstreams::Connect(const Instance& instance) {
  const Result<http::SocketAddress> address = http::ParseAddress(instance.host_port());
  if (!address) return address.error();
  auto started = http::Http2ClientConnection::Start(loop_, *address, limits_.connect_timeout);
  if (!started) return started.error();
  Connections& connections = connections_[instance.id()];
  std::erase_if(connections, [](const auto& connection) { return connection->over(); });
  connections.push_back(*started);
  if (!armed()) Set(loop_.Now() + kLookEvery);
  return started;
}

void Http2Upstreams::OnTimer() {
  const TimePoint now = loop_.Now();
  for (auto& [id, connections] : connections_) {
    std::erase_if(connections, [&](const auto& connection) {
      const bool idle = connection->exchanges() == 0 && now - connection->idle_since() > limits_.idle_time_max;
      return connection->over() || idle;
    });
  }
  std::erase_if(connections_, [](const auto& entry) { return entry.second.empty(); });
  if (!connections_.empty()) Set(now + kLookEvery);
}

}  // namespace updraft::activator
