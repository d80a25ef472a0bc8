// Turns an image whose blobs come from somewhere into one that is ready to start: read, fetched,
// unpacked, named.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "node-agent/image/blob_source.h"
#include "node-agent/image/image_records.h"
#include "node-agent/image/image_tree.h"
#include "node-agent/image/lease.h"
#include "node-agent/image/snapshot_store.h"
#include "node-agent/image/worker_pool.h"

namespace updraft::node_agent {

// An image that is ready to start. Immutable.
struct UnpackedImage {
  std::string reference;        // one of its names in containerd
  std::string digest;           // what its tag resolves to: of the index, if there is one
  std::string manifest_digest;  // of this platform's image
  std::string chain_id;         // the snapshot to prepare containers from; empty: no layers at all
  std::string snapshotter;
  ImageConfig config;
  int64_t size_bytes = 0;  // as stored, compressed
};

// A name and what is behind it.
struct KnownImage {
  ImageRecord record;
  std::shared_ptr<const UnpackedImage> image;  // null: its content is here, but it is not unpacked
};

struct InstallOrder {
  Descriptor root;
  std::vector<std::string> names;  // at least one
  bool loaded = false;             // from an archive
};

// What installations share; safe for concurrent use.
struct InstallerAccess {
  WorkerPool& fetchers;
  KeyedLock& locks;
  Platform host;
  std::string snapshotter;
};

inline constexpr size_t kLayersAtATime = 3;

// Blocks. Everything made is held by `lease` until the image's names hold it. When this returns
// with an error, transfers that are still under way are cancelled through the lease's scope.
Result<std::vector<KnownImage>> InstallImage(const InstallerAccess& access,
                                             const InstallOrder& order, const WorkLease& lease,
                                             BlobSource& source, ProgressMeter& meter);

// What is behind a name that containerd has. Blocks; reads, changes nothing.
Result<KnownImage> ReadInstalledImage(const InstallerAccess& access, const ContainerdScope& scope,
                                      const ImageRecord& record);

}  // namespace updraft::node_agent
