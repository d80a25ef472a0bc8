// What images this node has, by name and by digest: the memory that a hot start reads instead of
// asking containerd.
//
// Pure. One thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "node-agent/image/image_installer.h"
#include "node-agent/image/reference.h"

namespace updraft::node_agent {

// As the API's imagePullPolicy.
enum class PullPolicy {
  kDefault,  // Always for the tag "latest", else IfNotPresent
  kAlways,
  kIfNotPresent,
  kNever,
};

// kDefault for "" and for what is unknown.
PullPolicy ParsePullPolicy(std::string_view text);

// Whether a tag that is here must be looked up at the registry before it is used.
bool AsksFirst(const ImageReference& reference, PullPolicy policy);

struct ImageEntry {
  std::string reference;
  std::string digest;
  int64_t size_bytes = 0;
  int64_t created_at_ns = 0;
  bool loaded = false;
  bool unpacked = false;
};

class ImageCatalog {
 public:
  void Add(const std::vector<KnownImage>& images);

  // The image that a start may use at once under `policy`; null: it has to be pulled first. A
  // loaded image wins over the registry's, a digest over everything.
  std::shared_ptr<const UnpackedImage> Find(const ImageReference& reference,
                                            PullPolicy policy) const;

  // The digest of an image that was loaded under this name; empty: none was.
  std::string LoadedDigest(const ImageReference& reference) const;

  // All names to delete so that `reference` is gone: by a tag also the name by digest that its pull
  // made, unless another tag of the repository needs it. Empty: there is no such image.
  std::vector<std::string> NamesToRemove(const ImageReference& reference) const;
  void Forget(const std::vector<std::string>& names);

  // Its snapshot turned out to be gone: to be unpacked anew.
  void ForgetDigest(const std::string& digest);

  // By tag; names by digest only where no tag of the repository stands for the same image.
  std::vector<ImageEntry> List() const;

 private:
  bool HasOtherTag(const std::string& repository, const std::string& digest,
                   const std::string& than) const;

  std::map<std::string, KnownImage> by_name_;
};

}  // namespace updraft::node_agent
