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
  const auto found = instances_.find(instance_id);
  if (found == instances_.end()) return nullptr;
  Idle& idle = found->second.idle;
  while (!idle.empty()) {
    std::unique_ptr<UpstreamConnection> connection = std::move(idle.back());
    idle.pop_back();
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
  auto found = instances_.find(instance_id);
  if (found == instances_.end()) {
    ForgetEmpty();
    found = instances_.try_emplace(instance_id).first;
  }
  ToInstance& to = found->second;
  if (to.waiting.linked()) {
    auto* const first = static_cast<UpstreamWait*>(to.waiting.next);
    ++to.handed;
    first->connection_ = std::move(connection);
    first->End();
    return;
  }
  Idle& idle = to.idle;
  if (idle.size() >= limits_.idle_per_instance_max) return;
  connection->pool_ = this;
  connection->key_ = &found->first;
  connection->http_.stream().set_hangup_observer(connection.get());
  connection->Set(loop_.Now() + limits_.idle_time_max);
  idle.push_back(std::move(connection));
  ++idle_count_;
}

void UpstreamPool::Closed(const std::string& instance_id) {
  const auto found = instances_.find(instance_id);
  if (found == instances_.end() || !found->second.waiting.linked()) return;
  auto* const first = static_cast<UpstreamWait*>(found->second.waiting.next);
  first->freed_ = true;
  first->End();
}

UpstreamWait::UpstreamWait(UpstreamPool& pool, const std::string& instance_id)
    : pool_(pool),
      instance_id_(instance_id),
      gate_(pool.loop_),
      handed_(&pool.instances_[instance_id].handed),
      handed_before_(*handed_) {
  AppendTo(pool.instances_[instance_id].waiting);
}

UpstreamWait::~UpstreamWait() {
  if (connection_ != nullptr) pool_.Give(instance_id_, std::move(connection_));
  if (freed_) pool_.Closed(instance_id_);
}

void UpstreamPool::Drop(UpstreamConnection* connection) {
  Idle& idle = instances_.find(*connection->key_)->second.idle;
  const auto is_it = [connection](const auto& one) { return one.get() == connection; };
  const auto at = std::ranges::find_if(idle, is_it);
  const std::unique_ptr<UpstreamConnection> dropped = std::move(*at);
  idle.erase(at);
  --idle_count_;
}

// Instances come and go; those without an idle connection are forgotten now and then.
void UpstreamPool::ForgetEmpty() {
  if (instances_.size() < forget_at_) return;
  std::erase_if(instances_, [](const auto& entry) {
    return entry.second.idle.empty() && !entry.second.waiting.linked();
  });
  forget_at_ = 64 + instances_.size() * 2;
}

}  // namespace updraft::activator
