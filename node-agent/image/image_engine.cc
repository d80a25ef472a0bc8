#include "node-agent/image/image_engine.h"

#include <sys/utsname.h>

#include "core/base/log.h"

namespace updraft::node_agent {
namespace {

Platform ThisMachine() {
  utsname names{};
  uname(&names);
  return PlatformOf(names.machine);
}

Result<Descriptor> RootOf(const FetchedManifest& manifest) {
  const auto parsed = ParseManifest(manifest.bytes, manifest.media_type);
  if (!parsed) return parsed.error();
  return Descriptor{
      .media_type = std::visit([](const auto& document) { return document.media_type; }, *parsed),
      .digest = manifest.digest,
      .size = static_cast<int64_t>(manifest.bytes.size())};
}

}  // namespace

Error NotLoaded(const ImageReference& reference) {
  return {Code::kNotFound, "image " + reference.Name() + " is not loaded, and registry " +
                               reference.registry +
                               " is never asked: load it with `updraft image load`"};
}

ImageEngine::ImageEngine(const ContainerdClient& client, Options options)
    : client_(client),
      registries_(std::move(options.registries)),
      host_(ThisMachine()),
      http_(registries_, options.timeouts),
      tokens_(http_, RealClock()),
      registry_access_{
          .config = registries_, .http = http_, .tokens = tokens_, .retry = options.retry},
      fetchers_("image-fetch", options.transfers_max) {}

Result<InstallerAccess> ImageEngine::Access(const ContainerdScope& scope) {
  const std::lock_guard lock(mutex_);
  if (snapshotter_.empty()) {
    auto chosen = ChooseSnapshotter(scope);
    if (!chosen) return chosen.error();
    snapshotter_ = std::move(chosen).value();
    Log(Level::kInfo, "snapshotter_chosen", {{"snapshotter", snapshotter_}});
  }
  return InstallerAccess{
      .fetchers = fetchers_, .locks = locks_, .host = host_, .snapshotter = snapshotter_};
}

// By digest from the content store if it is there; else from the registry.
Result<FetchedManifest> ImageEngine::FetchRoot(const ImageReference& reference,
                                               RegistrySession& session,
                                               const ContainerdScope& scope) const {
  const std::string& digest = reference.digest;
  if (!digest.empty()) {
    const ContentStore content(scope);
    const auto found = content.Find(digest);
    if (!found) return found.error();
    if (found->has_value()) {
      auto bytes = content.Read(digest, kManifestBytesMax);
      if (!bytes) return bytes.error();
      return FetchedManifest{.bytes = std::move(bytes).value(), .media_type = "", .digest = digest};
    }
  }
  if (IsLoadedOnlyRegistry(reference.registry)) return NotLoaded(reference);
  return session.GetManifest(digest.empty() ? reference.tag : digest);
}

Result<std::vector<KnownImage>> ImageEngine::Pull(const PullOrder& order, CancelToken& cancel,
                                                  const ProgressSink& progress) {
  const ContainerdScope scope = ScopeFor(cancel);
  const auto access = Access(scope);
  if (!access) return access.error();
  ProgressMeter meter(RealClock(), progress);
  meter.Step("resolving");

  ImageReference reference = order.reference;
  InstallOrder install{.root = {}, .names = {}, .loaded = false};
  if (reference.digest.empty()) {
    install.names.push_back(reference.Name());
    const auto record = FindImageRecord(scope, reference.Name());
    if (!record) return record.error();
    if (record->has_value() && ((*record)->loaded || order.local_first)) {
      reference.digest = (*record)->target.digest;
      install.loaded = (*record)->loaded;
    }
  }
  RegistrySession session(registry_access_, reference, order.credentials, cancel);
  const auto manifest = FetchRoot(reference, session, scope);
  if (!manifest) return manifest.error();
  const auto root = RootOf(*manifest);
  if (!root) return root.error();
  install.root = *root;
  reference.digest = root->digest;
  install.names.push_back(reference.Name());

  const KeyedLock::Held one_at_a_time(locks_, "image " + root->digest);
  const auto lease = WorkLease::Take(scope, root->digest, RealClock().Wall());
  if (!lease) return lease.error();
  const Status put =
      ContentStore(lease->scope()).Put(root->digest, manifest->bytes, SourceLabels(reference));
  if (!put) return put.error();
  RegistryBlobSource source(session, reference, locks_, meter);
  auto installed = InstallImage(*access, install, *lease, source, meter);
  // After a failure the lease stays: the next attempt goes on where this one stopped.
  if (installed) lease->Release();
  return installed;
}

Result<std::vector<KnownImage>> ImageEngine::Install(const InstallOrder& order,
                                                     const WorkLease& lease, ProgressMeter& meter) {
  const auto access = Access(lease.scope());
  if (!access) return access.error();
  NoBlobSource nowhere;
  return InstallImage(*access, order, lease, nowhere, meter);
}

Result<std::string> ImageEngine::Resolve(const ImageReference& reference,
                                         const std::vector<RegistryCredential>& credentials,
                                         CancelToken& cancel) {
  const auto record = FindImageRecord(ScopeFor(cancel), reference.Name());
  if (record && record->has_value() && (*record)->loaded) return (*record)->target.digest;
  if (IsLoadedOnlyRegistry(reference.registry)) return NotLoaded(reference);
  RegistrySession session(registry_access_, reference, credentials, cancel);
  return session.ResolveTag(reference.tag);
}

Result<std::vector<KnownImage>> ImageEngine::ReadInstalled(CancelToken& cancel) {
  const ContainerdScope scope = ScopeFor(cancel);
  const auto access = Access(scope);
  if (!access) return access.error();
  const auto records = ListImageRecords(scope);
  if (!records) return records.error();
  std::vector<KnownImage> images;
  for (const ImageRecord& record : *records) {
    auto image = ReadInstalledImage(*access, scope, record);
    if (image) {
      images.push_back(std::move(image).value());
    } else if (image.error().code == Code::kUnavailable || cancel.cancelled()) {
      return image.error();
    } else {
      Log(Level::kWarn, "image_unreadable",
          {{"image", record.name}, {"error", image.error().message}});
    }
  }
  return images;
}

Status ImageEngine::RemoveNames(const std::vector<std::string>& names, CancelToken& cancel) {
  for (const std::string& name : names) {
    if (Status removed = DeleteImageRecord(ScopeFor(cancel), name); !removed) return removed;
  }
  return Ok();
}

}  // namespace updraft::node_agent
