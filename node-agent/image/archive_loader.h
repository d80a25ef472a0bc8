// Loads the images of one archive, whose bytes come in pieces.
//
//   loader = store.Load({.file_name = "hello.tar"}, progress);
//   loader->Write(bytes, [](Status more) { ... });   // again once `more` was called with success
//   loader->Finish([](Result<std::vector<std::string>> names) { ... });
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/base/loop.h"
#include "core/base/result.h"
#include "node-agent/image/byte_queue.h"
#include "node-agent/image/cancel.h"
#include "node-agent/image/image_engine.h"
#include "node-agent/image/progress.h"

namespace updraft::node_agent {

struct ArchiveOrder {
  std::string file_name;       // for a name where the archive has none
  int64_t size_bytes = 0;      // for the progress; 0: not known
  std::string reference = {};  // instead of the archive's own names
};

// Write() and Finish() may be called from any thread, one call at a time; callbacks run on that
// thread or on the loader's own, and must not destroy the loader.
class ArchiveLoader {
 public:
  using Done = std::function<void(Result<std::vector<std::string>>)>;
  // Told of loaded images before Done is, on the loader's thread.
  using Loaded = std::function<void(std::vector<KnownImage>)>;

  // `engine` must outlive the loader.
  ArchiveLoader(ImageEngine& engine, ArchiveOrder order, ProgressSink progress, Loaded loaded);

  // Gives up if it is not done, and waits for the loader's thread; Done then does not run any more
  // after this returns. What is not part of a loaded image is collected.
  ~ArchiveLoader();
  ArchiveLoader(const ArchiveLoader&) = delete;
  ArchiveLoader& operator=(const ArchiveLoader&) = delete;

  // Never blocks. An error means that loading has failed: Finish() says the same.
  void Write(std::string bytes, ByteQueue::More more) { bytes_.Write(std::move(bytes), more); }

  // All bytes were written. `done` runs when the images are unpacked and named, with their names.
  void Finish(Done done);

 private:
  void Run();
  Result<std::vector<std::string>> Load();
  Result<std::vector<std::string>> LoadHeld(const WorkLease& lease);

  ImageEngine& engine_;
  const ArchiveOrder order_;
  const Loaded loaded_;
  ProgressMeter meter_;
  CancelToken cancel_;
  ByteQueue bytes_;

  // Guarded by mutex_.
  std::mutex mutex_;
  std::optional<Result<std::vector<std::string>>> result_;
  Done done_;

  NamedThread thread_;  // last: it uses all of the above
};

}  // namespace updraft::node_agent
