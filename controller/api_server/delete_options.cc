#include "controller/api_server/delete_options.h"

#include "core/api/access.h"
#include "core/api/constants.h"
#include "core/api/meta.h"

namespace updraft::controller {

ApiResult<DeleteOptions> ParseDeleteOptions(const RequestOptions& query, const Json& body) {
  DeleteOptions options;
  if (!body.is_null() && !body.is_object())
    return BadRequest("the body is not a DeleteOptions object");
  std::string policy = api::StringAt(body, {"propagationPolicy"}, query.propagation_policy);
  if (policy.empty() && api::Find(body, {"orphanDependents"}) != nullptr) {
    policy = api::BoolAt(body, {"orphanDependents"}) ? "Orphan" : "Background";
  }
  if (policy == "Foreground") {
    options.propagation = Propagation::kForeground;
  } else if (policy == "Orphan") {
    options.propagation = Propagation::kOrphan;
  } else if (!policy.empty() && policy != "Background") {
    return BadRequest("invalid value \"" + policy +
                      "\" for propagationPolicy: must be one of Foreground, Background, Orphan");
  }
  options.dry_run = query.dry_run;
  for (const Json& stage : api::ArrayAt(body, {"dryRun"}))
    options.dry_run = options.dry_run || stage == "All";
  options.uid = api::StringAt(body, {"preconditions", "uid"});
  options.resource_version = api::StringAt(body, {"preconditions", "resourceVersion"});
  return options;
}

std::optional<ApiError> CheckDeletable(const api::Kind& kind, const Json& object,
                                       const DeleteOptions& options) {
  const std::string name = api::NameOf(object);
  const std::string uid = api::UidOf(object);
  if (!options.uid.empty() && options.uid != uid) {
    return Conflict(kind, name,
                    "Precondition failed: UID in precondition: " + options.uid +
                        ", UID in object meta: " + uid);
  }
  const std::string version = api::ResourceVersionOf(object);
  if (!options.resource_version.empty() && options.resource_version != version) {
    return Conflict(kind, name,
                    "Precondition failed: ResourceVersion in precondition: " +
                        options.resource_version + ", ResourceVersion in object meta: " + version);
  }
  if (kind.kind == "Namespace" && (name == "default" || name == api::kSystemNamespace)) {
    return Forbidden(kind, name, "this namespace may not be deleted");
  }
  return std::nullopt;
}

}  // namespace updraft::controller
