#include "controller/objects/deletion.h"

#include "core/api/access.h"
#include "core/api/meta.h"
#include "core/api/timestamp.h"

namespace updraft::controller {
namespace {

bool IsNamespace(const Json& object) {
  return api::KindOf(object) == "Namespace" && api::ApiVersionOf(object) == "v1";
}

}  // namespace

std::optional<Json> MarkDeleted(const Json& object, Propagation propagation, WallTime now) {
  Json marked = object;
  api::RemoveFinalizer(marked, api::kForegroundFinalizer);
  api::RemoveFinalizer(marked, api::kOrphanFinalizer);
  if (propagation == Propagation::kForeground) api::AddFinalizer(marked, api::kForegroundFinalizer);
  if (propagation == Propagation::kOrphan) api::AddFinalizer(marked, api::kOrphanFinalizer);
  if (IsNamespace(marked)) {
    // Its content goes first, whatever the propagation.
    marked["spec"]["finalizers"] = Json::array({"kubernetes"});
    marked["status"]["phase"] = "Terminating";
  }
  const bool held =
      !api::ArrayAt(marked, {"metadata", "finalizers"}).empty() || IsNamespace(marked);
  if (!held) return std::nullopt;
  if (!api::IsBeingDeleted(marked)) {
    Json& metadata = marked["metadata"];
    metadata["deletionTimestamp"] = api::FormatTimestamp(now);
    metadata["deletionGracePeriodSeconds"] = 0;
    const int64_t generation = api::GenerationOf(marked);
    if (generation > 0) metadata["generation"] = generation + 1;
  }
  return marked;
}

bool IsFinished(const Json& object) {
  return api::IsBeingDeleted(object) && api::ArrayAt(object, {"metadata", "finalizers"}).empty() &&
         api::ArrayAt(object, {"spec", "finalizers"}).empty();
}

}  // namespace updraft::controller
