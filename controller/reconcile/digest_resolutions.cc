#include "controller/reconcile/digest_resolutions.h"

#include <utility>

namespace updraft::controller {

void DigestResolutions::Start(const ObjectKey& revision, const std::string& image,
                              std::vector<v1::ImageAuth> auth, double jitter) {
  Entry& entry = revisions_[revision][image];
  if (entry.resolution.under_way) return;
  entry.resolution.under_way = true;
  entry.attempt = ++last_attempt_;
  scope_.Spawn(Resolve(revision, image, std::move(auth), jitter, entry.attempt));
}

http::Task<void> DigestResolutions::Resolve(ObjectKey revision, std::string image,
                                            std::vector<v1::ImageAuth> auth, double jitter,
                                            uint64_t attempt) {
  http::Task<Result<std::string>> answer = resolver_.Resolve(image, std::move(auth));
  Result<std::string> outcome = co_await answer;
  const auto images = revisions_.find(revision);
  if (images == revisions_.end()) co_return;
  const auto found = images->second.find(image);
  if (found == images->second.end() || found->second.attempt != attempt) co_return;
  Entry& entry = found->second;
  entry.resolution.under_way = false;
  int& failures = entry.resolution.failures;
  failures = outcome ? 0 : failures + 1;
  if (!outcome) {
    entry.resolution.retry_at = clock_.Wall() + BackoffDelay(backoff_, failures, jitter);
  }
  entry.resolution.outcome = std::move(outcome);
  on_done_(revision);
}

std::map<std::string, ImageResolution> DigestResolutions::Of(const ObjectKey& revision) const {
  std::map<std::string, ImageResolution> resolutions;
  const auto images = revisions_.find(revision);
  if (images == revisions_.end()) return resolutions;
  for (const auto& [image, entry] : images->second) resolutions[image] = entry.resolution;
  return resolutions;
}

}  // namespace updraft::controller
