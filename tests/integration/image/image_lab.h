// A containerd of the test's own and an image store on it, in a network namespace that holds
// nothing but loopback.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "node-agent/image/image_store.h"
#include "tests/integration/image/daemon.h"

namespace updraft::node_agent {

// One per test program: containerd takes half a second to start.
class ImageLab {
 public:
  // Why tests cannot run here; empty: they can.
  static std::string Obstacle();

  // `disk_bytes` > 0: containerd's root is a file system of that size.
  explicit ImageLab(size_t disk_bytes = 0);
  ~ImageLab();
  ImageLab(const ImageLab&) = delete;
  ImageLab& operator=(const ImageLab&) = delete;

  const std::string& folder() const { return folder_; }
  ContainerdClient& client() { return *client_; }
  Loop& loop() { return loop_.loop(); }

  void StartContainerd();
  void StopContainerd() { containerd_.reset(); }

  // containerd's garbage collection, done when this returns.
  void CollectGarbage();
  std::vector<std::string> Blobs();      // digests
  std::vector<std::string> Snapshots();  // names, committed and active
  std::vector<std::string> Leases();
  int64_t IngestedBytes(const std::string& ref);  // of an unfinished blob; -1: none
  // A file of a committed snapshot; empty if it is not there.
  std::string ReadFile(const std::string& snapshot, const std::string& path);
  // Removes all images, leases and what they kept.
  void Clear();

 private:
  std::string folder_;
  bool mounted_ = false;
  LoopThread loop_{"lab"};
  std::unique_ptr<Daemon> containerd_;
  std::unique_ptr<ContainerdClient> client_;
};

// An ImageStore whose calls wait. Destroyed on the loop, as it must be.
class TestStore {
 public:
  explicit TestStore(ImageLab& lab, RegistriesConfig registries = {});
  ~TestStore();

  Result<std::shared_ptr<const UnpackedImage>> Ensure(ImageRequest request);
  // Does not wait; `done` runs on the loop.
  void Begin(ImageRequest request, ImageStore::Done done, ProgressSink progress = {});
  std::shared_ptr<const UnpackedImage> Find(const ImageRequest& request);
  Result<std::string> Resolve(const std::string& image, std::vector<RegistryCredential> auth = {});
  Status Remove(const std::string& image);
  std::vector<ImageEntry> List();
  void AwaitReady();
  void Forget(const std::string& digest);

  // Writes the archive in pieces of `chunk` bytes.
  Result<std::vector<std::string>> Load(const std::string& archive, ArchiveOrder order,
                                        size_t chunk = 64 << 10, ProgressSink progress = {});
  std::unique_ptr<ArchiveLoader> Loader(ArchiveOrder order);

 private:
  template <typename T>
  T OnLoop(std::function<T(ImageStore&)> body);

  ImageLab& lab_;
  std::unique_ptr<ImageStore> store_;
};

}  // namespace updraft::node_agent
