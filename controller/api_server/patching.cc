#include "controller/api_server/patching.h"

#include "controller/api_server/negotiate.h"
#include "core/api/access.h"
#include "core/api/defaults.h"
#include "core/api/managed_fields.h"
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

// Leaves of a configuration what the write reaches: the status alone, or all the rest.
void Reach(const AdmissionContext& context, Json& configuration) {
  if (context.subresource == "status") {
    for (auto member = configuration.begin(); member != configuration.end();) {
      const bool kept = member.key() == "apiVersion" || member.key() == "kind" ||
                        member.key() == "metadata" || member.key() == "status";
      member = kept ? std::next(member) : configuration.erase(member);
    }
    configuration["metadata"].erase("labels");
    configuration["metadata"].erase("annotations");
    return;
  }
  if (context.kind->has_status) configuration.erase("status");
  // Texts are stored as data; their owner owns that.
  if (context.kind->kind == "Secret") {
    const bool typed = configuration.contains("type");
    api::SetDefaults(*context.kind, configuration, {});
    if (!typed) configuration.erase("type");
  }
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
    default: {
      Result<Json> result = type == PatchType::kJson
                                ? api::JsonPatch(object, patch.value)
                                : api::StrategicMergePatch(*kind.schema, object, patch.value);
      if (!result) return Unfit(kind, object, result.error());
      patched.value = *std::move(result);
      return patched;
    }
  }
}

std::optional<ApiError> CheckPatchOptions(PatchType type, const RequestOptions& options) {
  const bool apply = type == PatchType::kApply;
  if (apply && options.field_manager.empty()) {
    return InvalidOptions("PatchOptions", "FieldValueRequired", "fieldManager",
                          "Required value: is required for apply patch");
  }
  if (!apply && options.force) {
    return InvalidOptions("PatchOptions", "FieldValueForbidden", "force",
                          "Forbidden: may not be specified for non-apply patch");
  }
  return std::nullopt;
}

ApiResult<AppliedDocument> ApplyConfiguration(const AdmissionContext& context, const Json& live,
                                              api::Document configuration,
                                              const ResourceRequest& request, bool force) {
  AppliedDocument applied;
  Json& wanted = configuration.value;
  if (auto error = CheckIdentity(*context.kind, wanted, request.ns, request.name))
    return *std::move(error);
  if (!api::ArrayAt(wanted, {"metadata", "managedFields"}).empty())
    return BadRequest("metadata.managedFields must be nil");
  if (auto error = CheckFields(context, configuration, applied.warnings)) return *std::move(error);
  Reach(context, wanted);
  api::AppliedFields fields = api::ApplyFields(context.Write(live.is_null() ? nullptr : &live),
                                               live, wanted, api::ManagedFieldsOf(live), force);
  if (!fields.conflicts.empty()) return ApplyConflict(fields.conflicts);
  applied.document.value = std::move(fields.object);
  applied.entries = std::move(fields.entries);
  return applied;
}

}  // namespace updraft::controller
