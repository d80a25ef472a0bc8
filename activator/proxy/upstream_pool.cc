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

UpstreamConnection::~UpstreamConnection() {
  if (place_ != nullptr && pool_ == nullptr) --place_->taken;
}

void UpstreamConnection::OnHangup() { pool_->Drop(this); }
// Still armed when the connection is taken: the next request's end puts it off.
void UpstreamConnection::OnTimer() {
  if (pool_ != nullptr) pool_->Drop(this);
}

std::unique_ptr<UpstreamConnection> UpstreamPool::Take(const std::string& instance_id) {
  const auto found = instances_.find(instance_id);
  if (found == instances_.end()) return nullptr;
  UpstreamPlace& place = found->second;
  while (!place.idle.empty()) {
    std::unique_ptr<UpstreamConnection> connection = std::move(place.idle.back());
    place.idle.pop_back();
    ++place.taken;
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
  if (connection->place_ == nullptr) {
    connection->place_ = &PlaceOf(instance_id);
    ++connection->place_->taken;
  }
  UpstreamPlace& place = *connection->place_;
  if (place.waiting.linked()) {
    auto* const first = static_cast<UpstreamWait*>(place.waiting.next);
    ++place.handed;
    first->connection_ = std::move(connection);
    first->End();
    return;
  }
  if (place.idle.size() >= limits_.idle_per_instance_max) return;
  connection->pool_ = this;
  connection->http_.stream().set_hangup_observer(connection.get());
  connection->Set(loop_.Now() + limits_.idle_time_max);
  place.idle.push_back(std::move(connection));
  --place.taken;
  ++idle_count_;
}

UpstreamPlace& UpstreamPool::PlaceOf(const std::string& instance_id) {
  const auto found = instances_.find(instance_id);
  if (found != instances_.end()) return found->second;
  ForgetEmpty();
  return instances_[instance_id];
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
      place_(pool.PlaceOf(instance_id)),
      handed_before_(place_.handed) {
  AppendTo(place_.waiting);
}

UpstreamWait::~UpstreamWait() {
  if (connection_ != nullptr) pool_.Give(instance_id_, std::move(connection_));
  if (freed_) pool_.Closed(instance_id_);
}

void UpstreamPool::Drop(UpstreamConnection* connection) {
  auto& idle = connection->place_->idle;
  const auto is_it = [connection](const auto& one) { return one.get() == connection; };
  const auto at = std::ranges::find_if(idle, is_it);
  const std::unique_ptr<UpstreamConnection> dropped = std::move(*at);
  idle.erase(at);
  --idle_count_;
}

// Instances come and go; those without an idle connection are forgotten now and then.
void UpstreamPool::ForgetEmpty() {
  if (instances_.size() < forget_at_) return;
  std::erase_if(instances_, [](const auto& entry) { return entry.second.empty(); });
  forget_at_ = 64 + instances_.size() * 2;
}

}  // namespace updraft::activator
