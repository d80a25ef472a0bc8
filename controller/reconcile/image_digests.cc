#include "controller/reconcile/image_digests.h"

#include <utility>

#include "core/api/access.h"
#include "core/api/image_reference.h"

namespace updraft::controller {
namespace {

struct Digest {
  enum class State { kKnown, kPending, kFailed };
  State state = State::kPending;
  // kKnown: "registry/repository@sha256:..." or empty; else what went wrong, if anything did.
  std::string text = {};
};

// A node-agent that is being restarted is no reason to call a revision failed.
constexpr int kTransientFailuresForgiven = 2;

bool IsForgiven(const ImageResolution& resolution) {
  const Code code = resolution.outcome->error().code;
  const bool transient = code == Code::kUnavailable || code == Code::kDeadlineExceeded;
  return transient && resolution.failures <= kTransientFailuresForgiven;
}

// What can be said of an image without asking anyone.
std::optional<Digest> KnownDigest(const std::string& image, const ServingConfig& config) {
  const Result<api::ImageReference> reference = api::ParseImageReference(image);
  if (!reference) return Digest{Digest::State::kFailed, reference.error().message};
  if (!reference->digest.empty()) return Digest{Digest::State::kKnown, image};
  if (config.deployment.registries_skipping_tag_resolving.contains(reference->registry)) {
    return Digest{Digest::State::kKnown, ""};
  }
  return std::nullopt;
}

class DigestCollector {
 public:
  DigestCollector(const RevisionInputs& in, const ServingConfig& config, WallTime now,
                  ReconcilePlan& plan)
      : in_(in), config_(config), now_(now), plan_(plan) {}

  Digest Find(const std::string& image) {
    if (std::optional<Digest> known = KnownDigest(image, config_)) return *known;
    const auto it = in_.images.find(image);
    const ImageResolution resolution = it == in_.images.end() ? ImageResolution{} : it->second;
    if (resolution.outcome && *resolution.outcome) {
      const std::string& digest = resolution.outcome->value();
      const std::string context = api::ParseImageReference(image)->Context();
      return {Digest::State::kKnown, digest.empty() ? "" : context + "@" + digest};
    }
    if (!resolution.under_way) AskOrWait(image, resolution);
    if (!resolution.outcome) return {Digest::State::kPending, ""};
    const auto state = IsForgiven(resolution) ? Digest::State::kPending : Digest::State::kFailed;
    return {state, resolution.outcome->error().message};
  }

 private:
  void AskOrWait(const std::string& image, const ImageResolution& resolution) {
    if (resolution.outcome && resolution.retry_at > now_) {
      plan_.WakeNoLaterThan(resolution.retry_at);
      return;
    }
    const Effect ask = ResolveImage{image};
    if (std::ranges::find(plan_.effects, ask) == plan_.effects.end()) plan_.effects.push_back(ask);
  }

  const RevisionInputs& in_;
  const ServingConfig& config_;
  const WallTime now_;
  ReconcilePlan& plan_;
};

Json ToStatus(const Json& container, const Digest& digest) {
  Json status = {{"name", api::StringAt(container, {"name"})}};
  if (!digest.text.empty()) status["imageDigest"] = digest.text;
  return status;
}

}  // namespace

DigestVerdict JudgeDigests(const RevisionInputs& in, const ServingConfig& config, WallTime now,
                           ReconcilePlan& plan) {
  DigestVerdict verdict{.resolved = true};
  DigestCollector digests(in, config, now, plan);
  const auto judge = [&](const char* list, Json& statuses) {
    for (const Json& container : api::ArrayAt(*in.revision, {"spec", list})) {
      const std::string image = api::StringAt(container, {"image"});
      const Digest digest = digests.Find(image);
      if (digest.state != Digest::State::kKnown) verdict.resolved = false;
      const bool pending = digest.state == Digest::State::kPending;
      if (pending && verdict.trouble.empty()) verdict.trouble = digest.text;
      if (digest.state == Digest::State::kFailed && !verdict.failure) {
        verdict.failure = "Unable to fetch image \"" + image +
                          "\": failed to resolve image to digest: " + digest.text;
      }
      statuses.push_back(ToStatus(container, digest));
    }
  };
  judge("initContainers", verdict.init_container_statuses);
  judge("containers", verdict.container_statuses);
  return verdict;
}

}  // namespace updraft::controller
