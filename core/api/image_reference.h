// Names of container images: registry, repository, tag, digest, as Knative's resolver reads them.
// Pure.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"

namespace updraft::api {

struct ImageReference {
  std::string registry;    // "index.docker.io" when the reference names none
  std::string repository;  // "library/" in front where Docker Hub implies it
  std::string tag;         // "latest" when neither tag nor digest is given
  std::string digest;      // "sha256:...", or empty

  // registry/repository@digest, or registry/repository:tag without a digest.
  std::string Full() const;
  // registry/repository
  std::string Context() const { return registry + "/" + repository; }
};

// kInvalidArgument: "could not parse reference: ...", the words that Knative answers with.
Result<ImageReference> ParseImageReference(std::string_view text);

}  // namespace updraft::api
