// The blocking side of images: pulls, installs and looks up, on the threads of whoever calls.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "node-agent/image/image_installer.h"
#include "node-agent/image/registry_session.h"

namespace updraft::node_agent {

struct PullOrder {
  ImageReference reference;  // with the digest to pull, if it is known
  std::vector<RegistryCredential> credentials;
  bool local_first = false;  // a tag that is here is good enough; a loaded image always is
};

// For images of registries that are never asked.
Error NotLoaded(const ImageReference& reference);

// Safe for concurrent use.
class ImageEngine {
 public:
  struct Options {
    RegistriesConfig registries = {};
    HttpTimeouts timeouts = {};
    RetryPolicy retry = {};
    size_t transfers_max = 6;  // of all images together
  };

  // `client` must outlive the engine.
  ImageEngine(const ContainerdClient& client, Options options);

  // Fetches what is missing and unpacks it. An image without digest is asked for at the registry
  // and gets two names, by tag and by digest.
  Result<std::vector<KnownImage>> Pull(const PullOrder& order, CancelToken& cancel,
                                       const ProgressSink& progress);

  // For content that is in the store already, held by `lease`.
  Result<std::vector<KnownImage>> Install(const InstallOrder& order, const WorkLease& lease,
                                          ProgressMeter& meter);

  // The digest of a tag: of the image loaded under that name, else at the registry.
  Result<std::string> Resolve(const ImageReference& reference,
                              const std::vector<RegistryCredential>& credentials,
                              CancelToken& cancel);

  // All that containerd knows. What cannot be read is left out, with a warning.
  Result<std::vector<KnownImage>> ReadInstalled(CancelToken& cancel);

  Status RemoveNames(const std::vector<std::string>& names, CancelToken& cancel);

  // What an archive's loader needs.
  ContainerdScope ScopeFor(CancelToken& cancel) const {
    return {.client = &client_, .cancel = &cancel};
  }
  const Platform& host() const { return host_; }

  // Ends connections to registries that nobody uses.
  void CloseIdle() { http_.CloseIdle(); }

 private:
  Result<InstallerAccess> Access(const ContainerdScope& scope);
  Result<FetchedManifest> FetchRoot(const ImageReference& reference, RegistrySession& session,
                                    const ContainerdScope& scope) const;

  const ContainerdClient& client_;
  const RegistriesConfig registries_;
  const Platform host_;
  HttpClient http_;
  TokenService tokens_;
  const RegistryAccess registry_access_;
  KeyedLock locks_;
  WorkerPool fetchers_;

  // Guarded by mutex_.
  std::mutex mutex_;
  std::string snapshotter_;  // empty: not asked yet
};

}  // namespace updraft::node_agent
