// An image as it lies in the content store: index, manifest, config.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "node-agent/image/blob_source.h"
#include "node-agent/image/content_store.h"
#include "node-agent/image/image_config.h"
#include "node-agent/image/manifest.h"

namespace updraft::node_agent {

struct ImageTree {
  std::string root;                  // digest of the index or manifest that the name stands for
  std::vector<std::string> indexes;  // digests, from the root down; empty without index
  std::string manifest_digest;
  Manifest manifest;
  ImageConfig config;

  // Config and layers, as stored (compressed).
  int64_t SizeBytes() const;
  // Snapshot names, one per layer, lowest first.
  std::vector<std::string> ChainIds() const;
};

// Reads down from `root` to what suits `host`; `source` provides what is missing. Blocks.
Result<ImageTree> ReadImageTree(const ContentStore& store, const Descriptor& root,
                                const Platform& host, BlobSource& source);

// Labels by which containerd's garbage collector sees that the root keeps all of it. Blocks.
Status LabelImageTree(const ContentStore& store, const ImageTree& tree);

}  // namespace updraft::node_agent
