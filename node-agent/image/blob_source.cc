#include "node-agent/image/blob_source.h"

#include "node-agent/image/lease.h"

namespace updraft::node_agent {
namespace {

// The unfinished blob's name; the same after a restart of this process.
std::string RefOf(const Descriptor& blob) { return "updraft-" + blob.digest; }

}  // namespace

Labels SourceLabels(const ImageReference& image) {
  return {{"containerd.io/distribution.source." + image.registry, image.repository}};
}

Status NoBlobSource::Provide(const ContentStore& store, Kind, const Descriptor& blob) {
  // Held first, so that it cannot go between the look and its use.
  if (!store.scope().lease.empty()) {
    if (Status held = HoldInLease(store.scope(), "content", blob.digest); !held) return held;
  }
  const auto found = store.Find(blob.digest);
  if (!found) return found.error();
  if (found->has_value()) return Ok();
  return Error{Code::kNotFound, "the image is incomplete: blob " + blob.digest + " is missing"};
}

RegistryBlobSource::RegistryBlobSource(RegistrySession& session, const ImageReference& image,
                                       KeyedLock& locks, ProgressMeter& meter)
    : session_(session), labels_(SourceLabels(image)), locks_(locks), meter_(meter) {}

Status RegistryBlobSource::Provide(const ContentStore& store, Kind kind, const Descriptor& blob) {
  const KeyedLock::Held held(locks_, blob.digest);
  if (kind == Kind::kManifest) return FetchManifest(store, blob);
  if (kind == Kind::kConfig && blob.size > static_cast<int64_t>(kConfigBytesMax)) {
    return Error{Code::kInvalidArgument, "the image's config is larger than 8 MB"};
  }
  return FetchBlob(store, blob);
}

Status RegistryBlobSource::FetchManifest(const ContentStore& store, const Descriptor& blob) {
  const auto found = store.Find(blob.digest);
  if (!found) return found.error();
  // Opening a writer for what is there adds it to the lease.
  if (found->has_value()) return store.Put(blob.digest, "", {});
  const auto manifest = session_.GetManifest(blob.digest);
  if (!manifest) return manifest.error();
  return store.Put(manifest->digest, manifest->bytes, labels_);
}

Status RegistryBlobSource::FetchBlob(const ContentStore& store, const Descriptor& blob) {
  for (bool fresh = false;; fresh = true) {
    auto writer = BlobWriter::Open(store.scope(),
                                   {.ref = RefOf(blob), .digest = blob.digest, .size = blob.size});
    if (!writer) {
      if (writer.error().code != Code::kAlreadyExists) return writer.error();
      meter_.Add(blob.size);
      return Ok();
    }
    const int64_t resumed_at = (*writer)->offset();
    meter_.Add(resumed_at);
    if (Status moved = Transfer(**writer, blob); !moved) return moved;
    const Status committed = (*writer)->Commit(blob.digest, labels_);
    if (committed) return Ok();
    if (committed.error().code != Code::kFailedPrecondition) return committed;
    writer->reset();
    if (Status dropped = store.Abort(RefOf(blob)); !dropped) return dropped;
    meter_.Add(-blob.size);
    // The fault may lie in what an earlier attempt has left: once more, from the start.
    if (resumed_at == 0 || fresh) {
      return Error{Code::kFailedPrecondition,
                   "digest mismatch: blob " + blob.digest + ": " + committed.error().message};
    }
  }
}

Status RegistryBlobSource::Transfer(BlobWriter& writer, const Descriptor& blob) {
  if (writer.offset() > blob.size) {
    meter_.Add(-writer.offset());
    if (Status restarted = writer.Restart(); !restarted) return restarted;
  }
  int failures = 0;
  while (writer.offset() < blob.size) {
    const int64_t before = writer.offset();
    Status moved = TransferOnce(writer, blob);
    // What has come is kept, whatever happened then.
    if (Status flushed = writer.Flush(); !flushed) return flushed;
    if (moved && writer.offset() < blob.size) {
      moved = Error{Code::kUnavailable, "network error: blob " + blob.digest + " ended after " +
                                            std::to_string(writer.offset()) + " of " +
                                            std::to_string(blob.size) + " bytes"};
    }
    if (moved) return Ok();
    if (moved.error().code != Code::kUnavailable) return moved;
    failures = writer.offset() > before ? 1 : failures + 1;
    if (failures >= session_.retry().tries_max) return moved;
    if (!session_.cancel().Wait(BackoffDelay(session_.retry().backoff, failures, 0.5))) {
      return Error{Code::kCancelled, "cancelled"};
    }
  }
  return Ok();
}

Status RegistryBlobSource::TransferOnce(BlobWriter& writer, const Descriptor& blob) {
  const int64_t offset = writer.offset();
  bool begun = false;
  const Status moved = session_.GetBlob(blob, offset, [&](int status, std::string_view bytes) {
    if (!begun && status != 206 && offset > 0) {
      // The registry does not do ranges: all bytes come again.
      meter_.Add(-offset);
      if (Status restarted = writer.Restart(); !restarted) return restarted;
    }
    begun = true;
    if (writer.offset() + static_cast<int64_t>(bytes.size()) > blob.size) {
      return Status(Error{Code::kFailedPrecondition,
                          "digest mismatch: blob " + blob.digest + " is longer than the " +
                              std::to_string(blob.size) + " bytes that the manifest says"});
    }
    meter_.Add(static_cast<int64_t>(bytes.size()));
    return writer.Write(bytes);
  });
  return moved;
}

}  // namespace updraft::node_agent
