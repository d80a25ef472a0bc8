#include "node-agent/image/image_tree.h"

#include "node-agent/image/digest.h"

namespace updraft::node_agent {
namespace {

constexpr int kIndexDepthMax = 3;

// From `root` through indexes to the manifest of this platform.
Status ReadManifests(const ContentStore& store, const Descriptor& root, const Platform& host,
                     BlobSource& source, ImageTree& tree) {
  Descriptor next = root;
  for (int depth = 0; depth <= kIndexDepthMax; ++depth) {
    if (Status there = source.Provide(store, BlobSource::Kind::kManifest, next); !there) {
      return there;
    }
    const auto bytes = store.Read(next.digest, kManifestBytesMax);
    if (!bytes) return bytes.error();
    auto parsed = ParseManifest(*bytes, next.media_type);
    if (!parsed) return parsed.error();
    if (auto* manifest = std::get_if<Manifest>(&*parsed)) {
      tree.manifest_digest = next.digest;
      tree.manifest = std::move(*manifest);
      return Ok();
    }
    const auto chosen = ChoosePlatform(std::get<Index>(*parsed), host);
    if (!chosen) return chosen.error();
    tree.indexes.push_back(next.digest);
    next = *chosen;
  }
  return Error{Code::kInvalidArgument, "malformed image: indexes are nested too deeply"};
}

Status ReadConfig(const ContentStore& store, const Platform& host, BlobSource& source,
                  ImageTree& tree) {
  const Descriptor& descriptor = tree.manifest.config;
  if (Status there = source.Provide(store, BlobSource::Kind::kConfig, descriptor); !there) {
    return there;
  }
  const auto bytes = store.Read(descriptor.digest, kConfigBytesMax);
  if (!bytes) return bytes.error();
  auto config = ParseImageConfig(*bytes);
  if (!config) return config.error();
  tree.config = std::move(config).value();
  if (!RunsOn(tree.config.platform, host)) {
    return Error{Code::kFailedPrecondition, "no matching platform: this machine is " +
                                                ToString(host) + ", the image is for " +
                                                ToString(tree.config.platform)};
  }
  if (tree.config.diff_ids.size() != tree.manifest.layers.size()) {
    return Error{Code::kInvalidArgument,
                 "malformed image: " + std::to_string(tree.manifest.layers.size()) +
                     " layers, but the config names " +
                     std::to_string(tree.config.diff_ids.size())};
  }
  return Ok();
}

}  // namespace

int64_t ImageTree::SizeBytes() const {
  int64_t size = manifest.config.size;
  for (const Descriptor& layer : manifest.layers) size += layer.size;
  return size;
}

std::vector<std::string> ImageTree::ChainIds() const {
  std::vector<std::string> chains;
  for (const std::string& diff_id : config.diff_ids) {
    chains.push_back(chains.empty() ? diff_id : DigestOf(chains.back() + " " + diff_id));
  }
  return chains;
}

Result<ImageTree> ReadImageTree(const ContentStore& store, const Descriptor& root,
                                const Platform& host, BlobSource& source) {
  ImageTree tree;
  tree.root = root.digest;
  if (Status read = ReadManifests(store, root, host, source, tree); !read) return read.error();
  if (Status read = ReadConfig(store, host, source, tree); !read) return read.error();
  return tree;
}

Status LabelImageTree(const ContentStore& store, const ImageTree& tree) {
  for (size_t i = 0; i < tree.indexes.size(); ++i) {
    const std::string& child =
        i + 1 < tree.indexes.size() ? tree.indexes[i + 1] : tree.manifest_digest;
    const Status labelled =
        store.SetLabels(tree.indexes[i], {{"containerd.io/gc.ref.content.m.0", child}});
    if (!labelled) return labelled;
  }
  Labels labels = {{"containerd.io/gc.ref.content.config", tree.manifest.config.digest}};
  for (size_t i = 0; i < tree.manifest.layers.size(); ++i) {
    labels.emplace("containerd.io/gc.ref.content.l." + std::to_string(i),
                   tree.manifest.layers[i].digest);
  }
  return store.SetLabels(tree.manifest_digest, labels);
}

}  // namespace updraft::node_agent
