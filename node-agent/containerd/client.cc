#include "node-agent/containerd/client.h"

namespace updraft::node_agent {
namespace {

// containerd answers lists in one message of up to its own limit of 16 MB.
constexpr int kReceivedBytesMax = 32 << 20;

std::shared_ptr<grpc::Channel> OpenChannel(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kReceivedBytesMax);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 50);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  // Several clients of one process (tests) must not share a connection, nor its back-off.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // A unix socket has no host name; without this the :authority would be the escaped path.
  arguments.SetString(GRPC_ARG_DEFAULT_AUTHORITY, "localhost");
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

// gRPC 1.51 aborts now and then when the last channel of a process that has used the callback API is destroyed: its
// polling thread gives up the completion queue twice. One channel is therefore kept until the process ends.
void KeepOneForEver(const std::shared_ptr<grpc::Channel>& channel) {
  static const auto* const kept = new std::shared_ptr<grpc::Channel>(channel);
  (void)kept;
}

}  // namespace

ContainerdClient::ContainerdClient(Loop& loop, ContainerdOptions options)
    : loop_(loop), options_(std::move(options)), channel_(OpenChannel(options_.address)) {
  KeepOneForEver(channel_);
}

ContainerdClient::~ContainerdClient() {
  std::unique_lock lock(mutex_);
  for (const auto& [id, context] : running_) context->TryCancel();
  idle_.wait(lock, [this] { return running_.empty(); });
}

void ContainerdClient::Prepare(grpc::ClientContext& context, const CallOptions& options) const {
  context.AddMetadata("containerd-namespace", options_.containerd_namespace);
  if (!options.lease.empty()) context.AddMetadata("containerd-lease", options.lease);
  if (options.deadline > Nanos(0)) {
    context.set_deadline(std::chrono::time_point_cast<std::chrono::system_clock::duration>(
        RealClock().Wall() + options.deadline));
  }
  context.set_wait_for_ready(options.wait_for_ready);
}

void ContainerdClient::Cancel(CallId id) {
  const std::lock_guard lock(mutex_);
  const auto it = running_.find(id);
  if (it != running_.end()) it->second->TryCancel();
}

ContainerdClient::CallId ContainerdClient::Enter(grpc::ClientContext* context) {
  const std::lock_guard lock(mutex_);
  const CallId id = next_call_++;
  running_.emplace(id, context);
  return id;
}

void ContainerdClient::Leave(CallId id) {
  const std::lock_guard lock(mutex_);
  running_.erase(id);
  if (running_.empty()) idle_.notify_all();
}

}  // namespace updraft::node_agent
