// Which images are being resolved to digests, and what came out. Loop thread only.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "controller/objects/object_store.h"
#include "controller/reconcile/image_resolver.h"
#include "controller/reconcile/revision.h"
#include "core/base/backoff.h"
#include "core/base/clock.h"

namespace updraft::controller {

class DigestResolutions {
 public:
  // All must outlive this. `on_done` is told the revision whose image has an outcome.
  DigestResolutions(ImageResolver& resolver, const Clock& clock,
                    std::function<void(const ObjectKey&)> on_done)
      : resolver_(resolver), clock_(clock), on_done_(std::move(on_done)) {}

  // Without effect while the image is being resolved for that revision.
  void Start(const ObjectKey& revision, const std::string& image, std::vector<v1::ImageAuth> auth,
             double jitter);

  std::map<std::string, ImageResolution> Of(const ObjectKey& revision) const;

  // Its digests are in its status, or it is gone.
  void Forget(const ObjectKey& revision) { revisions_.erase(revision); }

 private:
  struct Entry {
    ImageResolution resolution = {};
    uint64_t attempt = 0;  // tells the answers to forgotten questions apart
  };

  http::Task<void> Resolve(ObjectKey revision, std::string image, std::vector<v1::ImageAuth> auth,
                           double jitter, uint64_t attempt);

  ImageResolver& resolver_;
  const Clock& clock_;
  const std::function<void(const ObjectKey&)> on_done_;
  const BackoffPolicy backoff_ = {.first = Seconds(1), .most = Seconds(60)};
  std::map<ObjectKey, std::map<std::string, Entry>> revisions_;
  uint64_t last_attempt_ = 0;
  http::Scope scope_;
};

}  // namespace updraft::controller
