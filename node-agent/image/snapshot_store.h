// containerd's snapshots and the application of layers to them. All calls block.
#pragma once

#include <memory>
#include <string>

#include "core/base/result.h"
#include "node-agent/image/containerd_scope.h"
#include "node-agent/image/manifest.h"

namespace updraft::node_agent {

// "overlayfs" where containerd says that it works on the file system of its root, else "native".
Result<std::string> ChooseSnapshotter(const ContainerdScope& scope);

// Safe for concurrent use.
class SnapshotStore {
 public:
  SnapshotStore(ContainerdScope scope, std::string snapshotter);
  ~SnapshotStore();

  const std::string& snapshotter() const { return snapshotter_; }

  Result<bool> Exists(const std::string& name) const;

  // Makes snapshot `name` out of `parent` (empty: of nothing) and the layer, whose blob must be in
  // the content store, plain or compressed. `diff_id` is the digest that the uncompressed layer
  // must have: kFailedPrecondition if not. kAborted if the parent has gone. No error if `name`
  // exists.
  Status AddLayer(const std::string& name, const std::string& parent, const Descriptor& layer,
                  const std::string& diff_id) const;

 private:
  struct Stubs;
  struct Preparation;

  Result<Preparation> Prepare(const std::string& key, const std::string& parent) const;
  Status Apply(const Preparation& into, const Descriptor& layer, const std::string& diff_id) const;
  Status Commit(const std::string& name, const std::string& key) const;
  void Remove(const std::string& key) const;

  const ContainerdScope scope_;
  const std::string snapshotter_;
  const std::unique_ptr<Stubs> stubs_;
};

}  // namespace updraft::node_agent
