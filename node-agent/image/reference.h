// The names of images as users write them, and as containerd and registries know them.
//
// Pure.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"

namespace updraft::node_agent {

// Always normalised: Docker's defaults are filled in.
struct ImageReference {
  std::string registry;    // host[:port]; "docker.io" when none was written
  std::string repository;  // "library/nginx"
  std::string tag;         // "latest" when neither tag nor digest was written
  std::string digest;      // "sha256:...", or empty

  // "docker.io/library/nginx": what a token's scope and a private repository are about.
  std::string RepositoryName() const { return registry + "/" + repository; }

  // The image's name in containerd: repository and digest if there is one, else repository and tag.
  std::string Name() const {
    return digest.empty() ? RepositoryName() + ":" + tag : RepositoryName() + "@" + digest;
  }

  bool operator==(const ImageReference&) const = default;
};

// Errors are for the user and name what is wrong with the text.
Result<ImageReference> ParseReference(std::string_view text);

// Registries that only name loaded images; nothing at these names is ever looked up.
bool IsLoadedOnlyRegistry(std::string_view registry);

// The machine itself, where a registry without TLS is no danger.
bool IsLoopbackRegistry(std::string_view registry);

}  // namespace updraft::node_agent
