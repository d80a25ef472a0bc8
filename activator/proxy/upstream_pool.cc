#include "activator/proxy/upstream_pool.h"

#include <algorithm>
#include <utility>

namespace updraft::activator {

Result<std::unique_ptr<UpstreamConnection>> UpstreamConnection::Start(
    Loop& loop, const std::string& host_port) {
  const Result<http::SocketAddress> address = http::ParseAddress(host_port);
  if (!address) return address.error();
  Result<UniqueFd> socket = http::StartConnecting(*address);
  if (!socket) return socket.error();
  return std::make_unique<UpstreamConnection>(loop, *std::move(socket));
}

UpstreamConnection::UpstreamConnection(Loop& loop, UniqueFd socket)
    : Timer(loop.timers()), http_(loop, std::move(socket)) {}

void UpstreamConnection::OnHangup() { pool_->Drop(this); }
// Still armed when the connection is taken: the next request's end puts it off.
void UpstreamConnection::OnTimer() {
  if (pool_ != nullptr) pool_->Drop(this);
}

std::unique_ptr<UpstreamConnection> UpstreamPool::Take(const std::string& instance_id) {
  const auto found = idle_.find(instance_id);
  if (found == idle_.end()) return nullptr;
  while (!found->second.empty()) {
    std::unique_ptr<UpstreamConnection> connection = std::move(found->second.back());
    found->second.pop_back();
    --idle_count_;
    connection->http_.stream().set_hangup_observer(nullptr);
    connection->pool_ = nullptr;
    // What an instance said unasked would be taken for the answer to the next request.
    if (connection->http_.stream().quiet()) return connection;
  }
  return nullptr;
}

void UpstreamPool::Give(const std::string& instance_id,
                        std::unique_ptr<UpstreamConnection> connection) {
  auto found = idle_.find(instance_id);
  if (found == idle_.end()) {
    ForgetEmpty();
    found = idle_.try_emplace(instance_id).first;
  }
  Idle& idle = found->second;
  if (idle.size() >= limits_.idle_per_instance_max) return;
  connection->pool_ = this;
  connection->key_ = &found->first;
  connection->http_.stream().set_hangup_observer(connection.get());
  connection->Set(loop_.Now() + limits_.idle_time_max);
  idle.push_back(std::move(connection));
  ++idle_count_;
}

void UpstreamPool::Drop(UpstreamConnection* connection) {
  Idle& idle = idle_.find(*connection->key_)->second;
  const auto is_it = [connection](const auto& one) { return one.get() == connection; };
  const auto at = std::ranges::find_if(idle, is_it);
  const std::unique_ptr<UpstreamConnection> dropped = std::move(*at);
  idle.erase(at);
  --idle_count_;
}

// Instances come and go; those without an idle connection are forgotten now and then.
void UpstreamPool::ForgetEmpty() {
  if (idle_.size() < forget_at_) return;
  std::erase_if(idle_, [](const auto& entry) { return entry.second.empty(); });
  forget_at_ = 64 + idle_.size() * 2;
}

}  // namespace updraft::activator
