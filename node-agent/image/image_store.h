// The node's images: there, or pulled, unpacked and ready to start containers from.
//
// Loop thread only, and so are all callbacks; each runs exactly once, later than the call that it
// belongs to. The destructor cancels what is under way and waits for it, at most about a second;
// then no callback runs any more.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/base/loop.h"
#include "core/base/result.h"
#include "node-agent/image/archive_loader.h"
#include "node-agent/image/image_catalog.h"
#include "node-agent/image/image_engine.h"

namespace updraft::node_agent {

struct ImageRequest {
  std::string image;        // as the user wrote it
  std::string digest = {};  // sha256:..., empty where none was resolved
  std::vector<RegistryCredential> credentials = {};
  PullPolicy policy = PullPolicy::kDefault;
};

class ImageStore {
 public:
  struct Options {
    ImageEngine::Options engine = {};
    size_t pulls_max = 4;  // at a time; more wait
    Nanos pull_timeout = std::chrono::minutes(30);
    Nanos resolve_timeout = Seconds(60);
  };
  using Done = std::function<void(Result<std::shared_ptr<const UnpackedImage>>)>;

  // Begins to read what containerd has, and goes on trying while containerd is away.
  ImageStore(Loop& loop, const ContainerdClient& client, Options options);
  ~ImageStore();

  // For the hot path, from memory: null if Ensure() is needed.
  std::shared_ptr<const UnpackedImage> Find(const ImageRequest& request) const;

  // The image, pulled if necessary; one pull for all who ask for the same with the same
  // credentials. Errors are for the user: kInvalidArgument (the reference is none),
  // kFailedPrecondition (not here, and the policy is Never), kNotFound, kUnauthenticated,
  // kPermissionDenied, kResourceExhausted (disk full), kUnavailable (registry or containerd away:
  // worth a later try), kInternal (what the registry has cannot be used: TLS, digest, media type,
  // platform).
  void Ensure(const ImageRequest& request, Done done, ProgressSink progress = {});

  // The digest that an image reference stands for: a loaded image's, else the registry's.
  void Resolve(const std::string& image, std::vector<RegistryCredential> credentials,
               std::function<void(Result<std::string>)> done);

  std::vector<ImageEntry> List() const { return catalog_.List(); }

  // kNotFound if there is no such image. Containers that run from it go on.
  void Remove(const std::string& image, std::function<void(Status)> done);

  // For a snapshot that was gone when a container needed it: the next Ensure() looks again.
  void Forget(const std::string& digest) { catalog_.ForgetDigest(digest); }

  // The loader takes the archive's bytes from any thread; what it loads wins over the registry. It
  // must be destroyed before the store. `progress` runs on the loader's thread.
  std::unique_ptr<ArchiveLoader> Load(ArchiveOrder order, ProgressSink progress);

  // True once containerd's images have been read. Until then Ensure() looks by itself.
  bool ready() const { return ready_; }

 private:
  // One pull, and who waits for it.
  struct Flight {
    std::shared_ptr<CancelToken> cancel;
    std::vector<Done> waiting;
    std::vector<ProgressSink> watching;
    Loop::TimerId deadline = 0;
    bool timed_out = false;
  };

  void ReadCatalog(int failures);
  void StartFlight(const std::string& key, PullOrder order);
  void Report(const std::string& key, const ImageProgress& progress);
  void Land(const std::string& key, Result<std::vector<KnownImage>> result);
  void TimeOut(const std::string& key);
  std::shared_ptr<CancelToken> NewToken();

  // Posts unless this object is gone by then.
  void Post(std::function<void()> callback);

  Loop& loop_;
  const Options options_;
  ImageEngine engine_;
  ImageCatalog catalog_;
  bool ready_ = false;
  std::map<std::string, Flight> flights_;
  std::vector<std::weak_ptr<CancelToken>> tokens_;
  Loop::TimerId retry_ = 0;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  WorkerPool workers_;  // last: its tasks use all of the above
};

}  // namespace updraft::node_agent
