#include "node-agent/image/snapshot_store.h"

#include <github.com/containerd/containerd/api/services/diff/v1/diff.grpc.pb.h>
#include <github.com/containerd/containerd/api/services/introspection/v1/introspection.grpc.pb.h>
#include <github.com/containerd/containerd/api/services/snapshots/v1/snapshots.grpc.pb.h>

#include "core/base/log.h"

namespace updraft::node_agent {

namespace diff = containerd::services::diff::v1;
namespace introspection = containerd::services::introspection::v1;
namespace snapshots = containerd::services::snapshots::v1;

namespace {

constexpr Nanos kApplyTimeout = std::chrono::minutes(15);

}  // namespace

Result<std::string> ChooseSnapshotter(const ContainerdScope& scope) {
  const auto stub = introspection::Introspection::NewStub(scope.client->channel());
  ContainerdCall call(scope);
  introspection::PluginsRequest request;
  introspection::PluginsResponse response;
  request.add_filters("type==io.containerd.snapshotter.v1");
  const grpc::Status status = stub->Plugins(call.context(), request, &response);
  if (!status.ok()) return ContainerdError("ask containerd for its snapshotters", status);
  for (const introspection::Plugin& plugin : response.plugins()) {
    // containerd has tried an overlay mount below its root when it started.
    if (plugin.id() == "overlayfs" && plugin.init_err().code() == 0) return plugin.id();
  }
  return std::string("native");
}

struct SnapshotStore::Stubs {
  std::unique_ptr<snapshots::Snapshots::Stub> snapshots;
  std::unique_ptr<diff::Diff::Stub> diff;
};

struct SnapshotStore::Preparation {
  snapshots::PrepareSnapshotResponse response;
};

SnapshotStore::SnapshotStore(ContainerdScope scope, std::string snapshotter)
    : scope_(std::move(scope)),
      snapshotter_(std::move(snapshotter)),
      stubs_(std::make_unique<Stubs>(Stubs{snapshots::Snapshots::NewStub(scope_.client->channel()),
                                           diff::Diff::NewStub(scope_.client->channel())})) {}

SnapshotStore::~SnapshotStore() = default;

Result<bool> SnapshotStore::Exists(const std::string& name) const {
  ContainerdCall call(scope_);
  snapshots::StatSnapshotRequest request;
  snapshots::StatSnapshotResponse response;
  request.set_snapshotter(snapshotter_);
  request.set_key(name);
  const grpc::Status status = stubs_->snapshots->Stat(call.context(), request, &response);
  if (status.error_code() == grpc::StatusCode::NOT_FOUND) return false;
  if (!status.ok()) return ContainerdError("look for snapshot " + name, status);
  return response.info().kind() == snapshots::COMMITTED;
}

Status SnapshotStore::AddLayer(const std::string& name, const std::string& parent,
                               const Descriptor& layer, const std::string& diff_id) const {
  // Unique, so that the rest of a broken attempt is in nobody's way.
  const std::string key =
      "updraft-extract-" + std::to_string(UnixNanos(RealClock().Wall())) + " " + name;
  const auto prepared = Prepare(key, parent);
  if (!prepared) return prepared.error();
  Status added = Apply(*prepared, layer, diff_id);
  if (added) added = Commit(name, key);
  if (added) return added;
  Remove(key);
  if (added.error().code == Code::kAlreadyExists) return Ok();
  return added;
}

Result<SnapshotStore::Preparation> SnapshotStore::Prepare(const std::string& key,
                                                          const std::string& parent) const {
  ContainerdCall call(scope_);
  snapshots::PrepareSnapshotRequest request;
  request.set_snapshotter(snapshotter_);
  request.set_key(key);
  request.set_parent(parent);
  Preparation preparation;
  const grpc::Status status =
      stubs_->snapshots->Prepare(call.context(), request, &preparation.response);
  if (status.error_code() == grpc::StatusCode::NOT_FOUND) {
    return Error{Code::kAborted, "snapshot " + parent + " was removed"};
  }
  if (!status.ok()) return ContainerdError("prepare a snapshot", status);
  return preparation;
}

Status SnapshotStore::Apply(const Preparation& into, const Descriptor& layer,
                            const std::string& diff_id) const {
  ContainerdCall call(scope_, kApplyTimeout);
  diff::ApplyRequest request;
  diff::ApplyResponse response;
  // With this type containerd looks at the bytes themselves to find out how they are compressed.
  request.mutable_diff()->set_media_type(kDockerLayer);
  request.mutable_diff()->set_digest(layer.digest);
  request.mutable_diff()->set_size(layer.size);
  *request.mutable_mounts() = into.response.mounts();
  const grpc::Status status = stubs_->diff->Apply(call.context(), request, &response);
  if (!status.ok()) return ContainerdError("unpack layer " + layer.digest, status);
  if (response.applied().digest() == diff_id) return Ok();
  return Error{Code::kFailedPrecondition, "digest mismatch: layer " + layer.digest +
                                              " unpacks to " + response.applied().digest() +
                                              ", the image's config says " + diff_id};
}

Status SnapshotStore::Commit(const std::string& name, const std::string& key) const {
  ContainerdCall call(scope_);
  snapshots::CommitSnapshotRequest request;
  google::protobuf::Empty response;
  request.set_snapshotter(snapshotter_);
  request.set_name(name);
  request.set_key(key);
  const grpc::Status status = stubs_->snapshots->Commit(call.context(), request, &response);
  if (!status.ok()) return ContainerdError("commit snapshot " + name, status);
  return Ok();
}

void SnapshotStore::Remove(const std::string& key) const {
  const ContainerdScope cleanup{.client = scope_.client};
  ContainerdCall call(cleanup);
  snapshots::RemoveSnapshotRequest request;
  google::protobuf::Empty response;
  request.set_snapshotter(snapshotter_);
  request.set_key(key);
  const grpc::Status status = stubs_->snapshots->Remove(call.context(), request, &response);
  if (!status.ok()) {
    Log(Level::kWarn, "snapshot_not_removed", {{"key", key}, {"error", status.error_message()}});
  }
}

}  // namespace updraft::node_agent
