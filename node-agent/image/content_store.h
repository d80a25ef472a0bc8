// containerd's content store: blobs by digest. All calls block.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "node-agent/image/containerd_scope.h"

namespace updraft::node_agent {

using Labels = std::map<std::string, std::string>;

struct BlobStat {
  int64_t size = 0;
  Labels labels;
};

// Safe for concurrent use.
class ContentStore {
 public:
  explicit ContentStore(ContainerdScope scope);
  ~ContentStore();

  const ContainerdScope& scope() const { return scope_; }

  // nullopt: no such blob.
  Result<std::optional<BlobStat>> Find(const std::string& digest) const;

  // The whole blob; kInvalidArgument beyond `bytes_max`.
  Result<std::string> Read(const std::string& digest, size_t bytes_max) const;

  // Sets these labels and leaves the others.
  Status SetLabels(const std::string& digest, const Labels& labels) const;

  // Stores a small blob; no error if it is there already.
  Status Put(const std::string& digest, std::string_view bytes, const Labels& labels) const;

  // Forgets what was written to an unfinished blob; no error if there is none.
  Status Abort(const std::string& ref) const;

 private:
  struct Stub;
  const ContainerdScope scope_;
  const std::unique_ptr<Stub> stub_;
};

// One blob on its way into the store. What was written survives this object, and this process: the
// next writer with the same `ref` goes on where this one stopped. One thread.
class BlobWriter {
 public:
  struct Target {
    std::string ref;     // names the unfinished blob
    std::string digest;  // empty: not known yet
    int64_t size = 0;    // 0: not known yet
  };

  // kAlreadyExists if the store has the blob: it now belongs to the scope's lease as well. Waits
  // for a writer with the same ref that is just going away.
  static Result<std::unique_ptr<BlobWriter>> Open(const ContainerdScope& scope,
                                                  const Target& target);
  ~BlobWriter();

  // How many bytes are there; where the next Write() goes.
  int64_t offset() const { return offset_; }

  // Buffers up to a megabyte.
  Status Write(std::string_view bytes);
  Status Flush();

  // Throws away all that was written.
  Status Restart();

  // Makes the blob visible. kFailedPrecondition if its digest or size is another; then the
  // unfinished blob is left as it is. No error if another writer was faster. Last call.
  Status Commit(const std::string& digest, const Labels& labels);

 private:
  struct Stream;
  explicit BlobWriter(std::unique_ptr<Stream> stream);

  const std::unique_ptr<Stream> stream_;
  std::string buffer_;
  int64_t offset_ = 0;  // buffer included
};

}  // namespace updraft::node_agent
