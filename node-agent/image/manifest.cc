#include "node-agent/image/manifest.h"

#include <algorithm>
#include <array>

#include "node-agent/image/digest.h"
#include "node-agent/image/json_fields.h"

namespace updraft::node_agent {
namespace {

using nlohmann::json;

Error Malformed(const std::string& why) {
  return {Code::kInvalidArgument, "malformed image manifest: " + why};
}

Error Unsupported(const std::string& what, const std::string& media_type) {
  return {Code::kFailedPrecondition, "unsupported media type of " + what + ": " + media_type};
}

Result<Descriptor> ParseDescriptor(const json& value, const std::string& where) {
  Descriptor descriptor;
  descriptor.media_type = TextOf(value, "mediaType");
  descriptor.digest = TextOf(value, "digest");
  descriptor.size = IntegerOf(value, "size");
  descriptor.annotations = TextMapOf(value, "annotations");
  if (!IsDigest(descriptor.digest)) return Malformed(where + ": \"digest\" is not a sha256 digest");
  if (descriptor.size < 0 || FieldOf(value, "size") == nullptr) {
    return Malformed(where + ": \"size\" is missing or negative");
  }
  if (const json* platform = FieldOf(value, "platform")) {
    descriptor.platform = Platform{.os = TextOf(*platform, "os"),
                                   .architecture = TextOf(*platform, "architecture"),
                                   .variant = TextOf(*platform, "variant")};
  }
  return descriptor;
}

bool IsIndexType(std::string_view type) { return type == kOciIndex || type == kDockerList; }
bool IsManifestType(std::string_view type) {
  return type == kOciManifest || type == kDockerManifest;
}

// Layers differ by compression alone, and containerd finds that out by itself.
bool IsLayerType(std::string_view type) {
  constexpr std::array<std::string_view, 12> kTypes = {
      "application/vnd.oci.image.layer.v1.tar",
      "application/vnd.oci.image.layer.v1.tar+gzip",
      "application/vnd.oci.image.layer.v1.tar+zstd",
      "application/vnd.oci.image.layer.nondistributable.v1.tar",
      "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
      "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
      "application/vnd.docker.image.rootfs.diff.tar",
      "application/vnd.docker.image.rootfs.diff.tar.gzip",
      "application/vnd.docker.image.rootfs.diff.tar.zstd",
      "application/vnd.docker.image.rootfs.foreign.diff.tar",
      "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
      "application/vnd.docker.image.rootfs.diff.tar+zstd"};
  return std::ranges::find(kTypes, type) != kTypes.end();
}

bool IsConfigType(std::string_view type) { return type == kOciConfig || type == kDockerConfig; }

std::string EffectiveType(const json& document, std::string_view transport_type) {
  std::string own = TextOf(document, "mediaType");
  if (!own.empty()) return own;
  if (FieldOf(document, "manifests") != nullptr) return kOciIndex;
  if (FieldOf(document, "config") != nullptr) return kOciManifest;
  return std::string(transport_type.substr(0, transport_type.find(';')));
}

Result<IndexOrManifest> ParseIndex(const json& document, const std::string& type) {
  Index index{.media_type = type, .manifests = {}};
  const json* manifests = FieldOf(document, "manifests");
  if (manifests == nullptr || !manifests->is_array()) {
    return Malformed("\"manifests\" is not a list");
  }
  for (const json& value : *manifests) {
    auto descriptor =
        ParseDescriptor(value, "manifests[" + std::to_string(index.manifests.size()) + "]");
    if (!descriptor) return descriptor.error();
    index.manifests.push_back(std::move(descriptor).value());
  }
  return IndexOrManifest(std::move(index));
}

Result<IndexOrManifest> ParseImage(const json& document, const std::string& type) {
  Manifest manifest{.media_type = type, .config = {}, .layers = {}};
  const json* config = FieldOf(document, "config");
  if (config == nullptr) return Malformed("\"config\" is missing");
  auto parsed = ParseDescriptor(*config, "config");
  if (!parsed) return parsed.error();
  manifest.config = std::move(parsed).value();
  if (!IsConfigType(manifest.config.media_type)) {
    return Unsupported("the config (not a container image)", manifest.config.media_type);
  }
  const json* layers = FieldOf(document, "layers");
  if (layers == nullptr || !layers->is_array()) return Malformed("\"layers\" is not a list");
  if (layers->size() > kLayersMax) {
    return Malformed("more than " + std::to_string(kLayersMax) + " layers");
  }
  for (const json& value : *layers) {
    const std::string where = "layers[" + std::to_string(manifest.layers.size()) + "]";
    auto layer = ParseDescriptor(value, where);
    if (!layer) return layer.error();
    if (!IsLayerType(layer->media_type)) return Unsupported(where, layer->media_type);
    manifest.layers.push_back(std::move(layer).value());
  }
  return IndexOrManifest(std::move(manifest));
}

// Variants of arm that a host of variant `host` runs, best first, have falling numbers: v8, v7, v6.
int VariantRank(const Platform& offered, const Platform& host) {
  if (offered.variant == host.variant) return 3;
  if (offered.variant.empty() || host.variant.empty()) return 2;
  if (host.architecture == "arm" && offered.variant < host.variant) {
    return 1;
  }
  return 0;
}

Platform Normalised(Platform platform) {
  if (platform.architecture == "arm64" && platform.variant == "v8") platform.variant.clear();
  if (platform.architecture == "amd64" && platform.variant == "v1") platform.variant.clear();
  if (platform.architecture == "arm" && platform.variant.empty()) platform.variant = "v7";
  return platform;
}

}  // namespace

std::string ToString(const Platform& platform) {
  std::string text = platform.os + "/" + platform.architecture;
  if (!platform.variant.empty()) text += "/" + platform.variant;
  return text;
}

Platform PlatformOf(std::string_view machine) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kNames = {
      {{"x86_64", "amd64"},
       {"aarch64", "arm64"},
       {"armv7l", "arm"},
       {"armv6l", "arm"},
       {"i686", "386"},
       {"ppc64le", "ppc64le"},
       {"riscv64", "riscv64"}}};
  const auto it =
      std::ranges::find(kNames, machine, &std::pair<std::string_view, std::string_view>::first);
  Platform platform{.os = "linux",
                    .architecture = std::string(it == kNames.end() ? machine : it->second),
                    .variant = ""};
  if (machine == "armv7l") platform.variant = "v7";
  if (machine == "armv6l") platform.variant = "v6";
  return platform;
}

Result<IndexOrManifest> ParseManifest(std::string_view bytes, std::string_view media_type) {
  const json document = ParseJson(bytes);
  if (!document.is_object()) return Malformed("it is not a JSON object");
  const std::string type = EffectiveType(document, media_type);
  if (IsIndexType(type)) return ParseIndex(document, type);
  if (IsManifestType(type)) return ParseImage(document, type);
  if (IntegerOf(document, "schemaVersion") == 1) {
    return Unsupported(
        "the manifest (schema 1 is obsolete; push the image again)",
        type.empty() ? "application/vnd.docker.distribution.manifest.v1+json" : type);
  }
  return Unsupported("the manifest", type.empty() ? "none" : type);
}

bool RunsOn(const Platform& image, const Platform& host) {
  if (!image.os.empty() && image.os != host.os) return false;
  if (image.architecture.empty()) return true;
  if (image.architecture != host.architecture) return false;
  return VariantRank(Normalised(image), Normalised(host)) > 0;
}

Result<Descriptor> ChoosePlatform(const Index& index, const Platform& host) {
  const Descriptor* best = nullptr;
  int best_rank = 0;
  std::string offers;
  for (const Descriptor& candidate : index.manifests) {
    if (!IsManifestType(candidate.media_type) && !IsIndexType(candidate.media_type)) continue;
    int rank = 1;
    if (candidate.platform.has_value()) {
      if (candidate.platform->os == "unknown") continue;  // build attestations
      offers += (offers.empty() ? "" : ", ") + ToString(*candidate.platform);
      if (!RunsOn(*candidate.platform, host)) continue;
      rank += VariantRank(Normalised(*candidate.platform), Normalised(host));
    }
    if (rank > best_rank) {
      best = &candidate;
      best_rank = rank;
    }
  }
  if (best != nullptr) return *best;
  return Error{Code::kFailedPrecondition, "no matching platform: this machine is " +
                                              ToString(host) + ", the image is for " +
                                              (offers.empty() ? "none" : offers)};
}

}  // namespace updraft::node_agent
