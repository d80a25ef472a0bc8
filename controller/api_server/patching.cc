#include "controller/api_server/patching.h"

#include "controller/api_server/negotiate.h"
#include "core/api/access.h"
#include "core/api/meta.h"
#include "core/api/patch.h"

namespace updraft::controller {
namespace {

ApiError Unfit(const api::Kind& kind, const Json& object, const Error& error) {
  return Invalid(kind, api::NameOf(object),
                 {{.reason = "FieldValueInvalid",
                   .field = "patch",
                   .message = "Invalid value: " + error.message}});
}

}  // namespace

ApiResult<PatchType> ChoosePatchType(const api::Kind& kind, const std::string& content_type) {
  const std::string type = MediaType(content_type);
  if (type == "application/json-patch+json") return PatchType::kJson;
  if (type == "application/merge-patch+json") return PatchType::kMerge;
  if (type == "application/apply-patch+yaml") return PatchType::kApply;
  if (type == "application/strategic-merge-patch+json" && kind.strategic_merge)
    return PatchType::kStrategic;
  std::string accepted =
      "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml";
  if (kind.strategic_merge) accepted += ", application/strategic-merge-patch+json";
  return UnsupportedMediaType(
      "the body of the request was in an unknown format - accepted media types include: " +
      accepted);
}

ApiResult<api::Document> ApplyPatch(const api::Kind& kind, PatchType type, const Json& object,
                                    const api::Document& patch) {
  api::Document patched{.value = nullptr, .duplicates = patch.duplicates};
  if (type != PatchType::kJson && !patch.value.is_object())
    return BadRequest("the patch is not an object");
  switch (type) {
    case PatchType::kMerge:
      patched.value = api::MergePatch(object, patch.value);
      return patched;
    case PatchType::kApply:
      patched.value = api::ApplyMerge(*kind.schema, object, patch.value);
      return patched;
    case PatchType::kJson:
    case PatchType::kStrategic: {
      Result<Json> result = type == PatchType::kJson
                                ? api::JsonPatch(object, patch.value)
                                : api::StrategicMergePatch(*kind.schema, object, patch.value);
      if (!result) return Unfit(kind, object, result.error());
      patched.value = *std::move(result);
      return patched;
    }
  }
  return patched;
}

}  // namespace updraft::controller
