// What registries and archives say about an image: indexes and manifests, of OCI and of Docker.
//
// Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/result.h"

namespace updraft::node_agent {

// Named as Go names them: linux, amd64, v8.
struct Platform {
  std::string os;
  std::string architecture;
  std::string variant;
  bool operator==(const Platform&) const = default;
};

std::string ToString(const Platform& platform);

// `machine` is uname's: x86_64, aarch64, ...
Platform PlatformOf(std::string_view machine);

struct Descriptor {
  std::string media_type;
  std::string digest;
  int64_t size = 0;
  std::optional<Platform> platform = std::nullopt;
  std::map<std::string, std::string> annotations = {};
  bool operator==(const Descriptor&) const = default;
};

struct Index {
  std::string media_type;
  std::vector<Descriptor> manifests;
};

struct Manifest {
  std::string media_type;
  Descriptor config;
  std::vector<Descriptor> layers;  // lowest first
};

using IndexOrManifest = std::variant<Index, Manifest>;

inline constexpr size_t kManifestBytesMax = 4 << 20;
inline constexpr size_t kConfigBytesMax = 8 << 20;
inline constexpr size_t kLayersMax =
    500;  // more lower directories than this no overlay mount takes

inline constexpr char kOciIndex[] = "application/vnd.oci.image.index.v1+json";
inline constexpr char kOciManifest[] = "application/vnd.oci.image.manifest.v1+json";
inline constexpr char kOciConfig[] = "application/vnd.oci.image.config.v1+json";
inline constexpr char kOciLayer[] = "application/vnd.oci.image.layer.v1.tar";
inline constexpr char kDockerList[] = "application/vnd.docker.distribution.manifest.list.v2+json";
inline constexpr char kDockerManifest[] = "application/vnd.docker.distribution.manifest.v2+json";
inline constexpr char kDockerConfig[] = "application/vnd.docker.container.image.v1+json";
inline constexpr char kDockerLayer[] = "application/vnd.docker.image.rootfs.diff.tar";

// `media_type` is what the transport said; the document's own `mediaType` wins over it. Errors:
// kFailedPrecondition for what this platform cannot run, kInvalidArgument for what is malformed.
Result<IndexOrManifest> ParseManifest(std::string_view bytes, std::string_view media_type);

// The manifest that suits `host` best. kFailedPrecondition, with the platforms on offer, if none
// does.
Result<Descriptor> ChoosePlatform(const Index& index, const Platform& host);

// Whether an image made for `image` runs on `host`. An image that says nothing is taken at its
// word.
bool RunsOn(const Platform& image, const Platform& host);

}  // namespace updraft::node_agent
