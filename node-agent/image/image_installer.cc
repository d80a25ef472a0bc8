#include "node-agent/image/image_installer.h"

#include "node-agent/image/layer_fetches.h"

namespace updraft::node_agent {
namespace {

constexpr int kUnpackTriesMax = 3;

// Makes the chain of snapshots, from the highest one that exists upwards.
class ChainBuilder {
 public:
  ChainBuilder(const InstallerAccess& access, const ImageTree& tree, const WorkLease& lease,
               BlobSource& source, ProgressMeter& meter)
      : access_(access),
        tree_(tree),
        lease_(lease),
        source_(source),
        meter_(meter),
        content_(lease.scope()),
        snapshots_(lease.scope(), access.snapshotter),
        chains_(tree.ChainIds()) {}

  Status Build() {
    const auto existing = LayersThatExist();
    if (!existing) return existing.error();
    const auto& layers = tree_.manifest.layers;
    const std::vector<Descriptor> missing(layers.begin() + static_cast<std::ptrdiff_t>(*existing),
                                          layers.end());
    for (const Descriptor& layer : missing) meter_.Expect(layer.size);
    if (!missing.empty()) meter_.Step("pulling");
    LayerFetches fetches(access_.fetchers, kLayersAtATime, content_, source_, missing);
    for (size_t i = *existing; i < layers.size(); ++i) {
      Status done = fetches.WaitFor(i - *existing);
      if (done) done = Add(i);
      if (done) continue;
      if (done.error().code != Code::kAborted) lease_.scope().cancel->Cancel();
      return done;
    }
    return Ok();
  }

 private:
  Result<size_t> LayersThatExist() const {
    for (size_t i = chains_.size(); i > 0; --i) {
      // Held first, so that it cannot go between the look and its use.
      if (Status held = Hold(chains_[i - 1]); !held) return held.error();
      const auto exists = snapshots_.Exists(chains_[i - 1]);
      if (!exists) return exists.error();
      if (*exists) return i;
    }
    return size_t{0};
  }

  Status Hold(const std::string& chain) const {
    return HoldInLease(lease_.scope(), "snapshots/" + access_.snapshotter, chain);
  }

  Status Add(size_t i) const {
    const KeyedLock::Held one_at_a_time(access_.locks, "chain " + chains_[i]);
    if (Status held = Hold(chains_[i]); !held) return held;
    const auto exists = snapshots_.Exists(chains_[i]);
    if (!exists) return exists.error();
    if (*exists) return Ok();
    meter_.Step("unpacking layer " + std::to_string(i + 1) + "/" + std::to_string(chains_.size()));
    return snapshots_.AddLayer(chains_[i], i == 0 ? "" : chains_[i - 1], tree_.manifest.layers[i],
                               tree_.config.diff_ids[i]);
  }

  const InstallerAccess& access_;
  const ImageTree& tree_;
  const WorkLease& lease_;
  BlobSource& source_;
  ProgressMeter& meter_;
  const ContentStore content_;
  const SnapshotStore snapshots_;
  const std::vector<std::string> chains_;
};

Status BuildChain(const InstallerAccess& access, const ImageTree& tree, const WorkLease& lease,
                  BlobSource& source, ProgressMeter& meter) {
  for (int tries = 1;; ++tries) {
    Status built = ChainBuilder(access, tree, lease, source, meter).Build();
    // A snapshot may go just as we look, when another image is removed: then it is made again.
    const bool again = !built && built.error().code == Code::kAborted && tries < kUnpackTriesMax;
    if (!again) return built;
  }
}

std::shared_ptr<const UnpackedImage> Describe(const InstallerAccess& access, const ImageTree& tree,
                                              const std::string& name) {
  const std::vector<std::string> chains = tree.ChainIds();
  return std::make_shared<const UnpackedImage>(
      UnpackedImage{.reference = name,
                    .digest = tree.root,
                    .manifest_digest = tree.manifest_digest,
                    .chain_id = chains.empty() ? "" : chains.back(),
                    .snapshotter = access.snapshotter,
                    .config = tree.config,
                    .size_bytes = tree.SizeBytes()});
}

}  // namespace

Result<std::vector<KnownImage>> InstallImage(const InstallerAccess& access,
                                             const InstallOrder& order, const WorkLease& lease,
                                             BlobSource& source, ProgressMeter& meter) {
  const ContentStore content(lease.scope());
  const auto tree = ReadImageTree(content, order.root, access.host, source);
  if (!tree) return tree.error();
  if (Status built = BuildChain(access, *tree, lease, source, meter); !built) return built.error();
  if (Status labelled = LabelImageTree(content, *tree); !labelled) return labelled.error();
  const auto image = Describe(access, *tree, order.names.front());
  if (!image->chain_id.empty()) {
    const Status kept = content.SetLabels(
        tree->manifest.config.digest,
        {{"containerd.io/gc.ref.snapshot." + access.snapshotter, image->chain_id}});
    if (!kept) return kept.error();
  }
  std::vector<KnownImage> known;
  for (const std::string& name : order.names) {
    ImageRecord record{.name = name,
                       .target = order.root,
                       .created_at_ns = UnixNanos(RealClock().Wall()),
                       .loaded = order.loaded};
    if (Status named = PutImageRecord(lease.scope(), record); !named) return named.error();
    known.push_back({std::move(record), image});
  }
  return known;
}

Result<KnownImage> ReadInstalledImage(const InstallerAccess& access, const ContainerdScope& scope,
                                      const ImageRecord& record) {
  NoBlobSource nowhere;
  const ContentStore content(scope);
  const auto tree = ReadImageTree(content, record.target, access.host, nowhere);
  if (!tree) return tree.error();
  auto image = Describe(access, *tree, record.name);
  if (!image->chain_id.empty()) {
    const auto exists = SnapshotStore(scope, access.snapshotter).Exists(image->chain_id);
    if (!exists) return exists.error();
    if (!*exists) image = nullptr;
  }
  return KnownImage{record, std::move(image)};
}

}  // namespace updraft::node_agent
