// Where an image's blobs come from when the content store does not have them.
#pragma once

#include <string>

#include "core/base/result.h"
#include "node-agent/image/content_store.h"
#include "node-agent/image/keyed_lock.h"
#include "node-agent/image/manifest.h"
#include "node-agent/image/progress.h"
#include "node-agent/image/registry_session.h"

namespace updraft::node_agent {

// All calls block; safe for concurrent use.
class BlobSource {
 public:
  virtual ~BlobSource() = default;

  enum class Kind { kManifest, kConfig, kLayer };

  // After this the content store has the blob, held by the store's lease.
  virtual Status Provide(const ContentStore& store, Kind kind, const Descriptor& blob) = 0;
};

// Has nothing: an image must be complete in the content store.
class NoBlobSource : public BlobSource {
 public:
  Status Provide(const ContentStore& store, Kind kind, const Descriptor& blob) override;
};

// Fetches from a registry, and goes on with what an earlier attempt has left.
class RegistryBlobSource : public BlobSource {
 public:
  // All must outlive the source. `repository` is ImageReference::RepositoryName().
  RegistryBlobSource(RegistrySession& session, const ImageReference& image, KeyedLock& locks,
                     ProgressMeter& meter);

  Status Provide(const ContentStore& store, Kind kind, const Descriptor& blob) override;

 private:
  Status FetchManifest(const ContentStore& store, const Descriptor& blob);
  Status FetchBlob(const ContentStore& store, const Descriptor& blob);
  Status Transfer(BlobWriter& writer, const Descriptor& blob);
  Status TransferOnce(BlobWriter& writer, const Descriptor& blob);

  RegistrySession& session_;
  const Labels labels_;
  KeyedLock& locks_;
  ProgressMeter& meter_;
};

// containerd's label that says where content came from.
Labels SourceLabels(const ImageReference& image);

}  // namespace updraft::node_agent
