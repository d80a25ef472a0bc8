// Reads single files of a container's root file system straight from the snapshot's layers, without mounting
// anything: for the image's /etc/passwd and /etc/group before the container exists.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "node-agent/containerd/container_runtime.h"

namespace updraft::node_agent {

// The directories that hold the layers, the topmost first. kUnimplemented for a snapshotter whose mounts are
// neither overlay nor bind.
Result<std::vector<std::string>> LayerDirectories(const std::vector<SnapshotMount>& mounts);

// The content of the regular file at `path` (absolute, in the container); nullopt where there is none. Symbolic
// links are followed within a layer and never leave it. More than `bytes_max` is kResourceExhausted. Reads the disk.
Result<std::optional<std::string>> ReadSnapshotFile(const std::vector<std::string>& layers, const std::string& path,
                                                    size_t bytes_max);

}  // namespace updraft::node_agent
