#include "controller/api_server/admission.h"

#include "core/api/access.h"
#include "core/api/constants.h"
#include "core/api/defaults.h"
#include "core/api/meta.h"
#include "core/api/names.h"
#include "core/api/schema.h"
#include "core/api/timestamp.h"
#include "core/api/validation.h"

namespace updraft::controller {
namespace {

constexpr size_t kWarningsMax = 20;

// Strict: the request is refused; warn: the user is told; ignore: the fields are dropped.
std::optional<ApiError> JudgeFields(const AdmissionContext& context,
                                    const std::vector<std::string>& unknown,
                                    const std::vector<std::string>& duplicates,
                                    std::vector<std::string>& warnings) {
  std::vector<std::string> complaints;
  complaints.reserve(duplicates.size() + unknown.size());
  for (const std::string& path : duplicates)
    complaints.push_back("duplicate field \"" + path + "\"");
  for (const std::string& path : unknown) complaints.push_back("unknown field \"" + path + "\"");
  if (complaints.size() > kWarningsMax) complaints.resize(kWarningsMax);
  if (context.field_validation == FieldValidation::kStrict && !complaints.empty()) {
    std::string list;
    for (const std::string& complaint : complaints) list += (list.empty() ? "" : ", ") + complaint;
    return BadRequest(context.kind->kind + " in version \"" + context.kind->version +
                      "\" cannot be handled as a " + context.kind->kind +
                      ": strict decoding error: " + list);
  }
  if (context.field_validation == FieldValidation::kWarn) {
    for (std::string& complaint : complaints) warnings.push_back(std::move(complaint));
  }
  return std::nullopt;
}

// On a dry run Knative tries to make the Pod of a template as well. What a Service owns has been tried with it.
std::optional<ApiError> TryPod(const AdmissionContext& context, const Json& object) {
  const bool has_template = context.kind->kind == "Service" || context.kind->kind == "Configuration";
  if (!context.dry_run || context.kind->group != api::kServingGroup || !has_template) return std::nullopt;
  if (context.kind->kind == "Configuration" && api::HasLabel(object, api::kServiceLabel)) return std::nullopt;
  const auto problems = api::ValidatePod(api::ObjectAt(object, {"spec", "template", "spec"}));
  if (problems.empty()) return std::nullopt;
  const auto random = static_cast<uint64_t>(context.now.time_since_epoch().count());
  const ApiError refused = Invalid(*api::FindByUserName("pods"), api::GenerateName("dry-run-validation", random), problems);
  return Denied("validation.webhook.serving.knative.dev",
                "validation callback failed: dry run failed with " + refused.message + ": spec.template");
}

// Validation of Kubernetes' and of Knative's kind. Warnings are added.
std::optional<ApiError> Validate(const AdmissionContext& context, const Json& object,
                                 const Json* old, std::vector<std::string>& warnings) {
  const api::WriteContext write{
      .config = &context.config, .user = context.user, .old = old, .dry_run = context.dry_run};
  const auto problems = api::ValidateKubernetes(*context.kind, object, old);
  if (!problems.empty()) return Invalid(*context.kind, api::NameOf(object), problems);
  const api::FieldErrors errors = api::ValidateServing(*context.kind, object, write);
  const std::string text = errors.Only(api::FieldError::Level::kError).Text();
  if (!text.empty()) {
    return Denied("validation.webhook.serving.knative.dev", "validation failed: " + text);
  }
  if (auto error = TryPod(context, object)) return error;
  for (const api::FieldError& warning : errors.Only(api::FieldError::Level::kWarning).Merged()) {
    warnings.push_back(api::FieldErrors(warning).Text());
  }
  if (context.kind->kind == "ConfigMap" && api::NamespaceOf(object) == api::kSystemNamespace) {
    const Status checked = api::CheckConfigMap(object);
    if (!checked)
      return Denied("config.webhook.serving.knative.dev",
                    "validation failed: " + checked.error().message);
  }
  return std::nullopt;
}

void SetDefaults(const AdmissionContext& context, Json& object, const Json* old) {
  const api::WriteContext write{.config = &context.config, .user = context.user, .old = old};
  api::SetDefaults(*context.kind, object, write);
}

// What the server alone decides, taken over from the stored object.
void KeepSystemMetadata(const Json& old, Json& object) {
  Json& metadata = api::EnsureObject(object, {"metadata"});
  for (const char* field :
       {"name", "namespace", "uid", "creationTimestamp", "generation", "deletionTimestamp",
        "deletionGracePeriodSeconds", "generateName", "resourceVersion"}) {
    const Json* value = api::Find(old, {"metadata", field});
    if (value == nullptr) {
      metadata.erase(field);
    } else {
      metadata[field] = *value;
    }
  }
  metadata.erase("selfLink");
}

// Who is said to own what before the write: what the client says, or what is stored when it says
// nothing usable. One empty entry means that nobody is to own anything.
api::ManagedFields EntriesBefore(const Json& old, const Json& document) {
  const Json& said = api::ArrayAt(document, {"metadata", "managedFields"});
  if (said.size() == 1 && said.front().empty()) return {};
  std::optional<api::ManagedFields> entries = api::ReadManagedFields(said);
  return entries && !entries->empty() ? *std::move(entries) : api::ManagedFieldsOf(old);
}

// Objects that nobody has been said to own are not tracked before their first apply.
api::ManagedFields EntriesAfter(const AdmissionContext& context, const Json& old,
                                const Json& object, api::ManagedFields before) {
  if (context.applied_fields) return *context.applied_fields;
  if (before.empty()) return before;
  return api::TrackUpdate(context.Write(&old), old, object, std::move(before));
}

void KeepMember(const Json& old, Json& object, const char* member) {
  const Json* value = api::Find(old, {member});
  if (value == nullptr) {
    object.erase(member);
  } else {
    object[member] = *value;
  }
}

// Everything but metadata and status.
bool SameDesire(const Json& a, const Json& b) {
  const auto without = [](const Json& object) {
    Json desire = object;
    desire.erase("metadata");
    desire.erase("status");
    return desire;
  };
  return without(a) == without(b);
}

bool SameButTimes(api::ManagedFields a, api::ManagedFields b) {
  for (api::ManagedFields* entries : {&a, &b}) {
    for (api::ManagedEntry& entry : *entries) entry.time.clear();
  }
  return api::WriteManagedFields(std::move(a)) == api::WriteManagedFields(std::move(b));
}

// A write that changes nothing but when somebody wrote is none.
void SetOwners(const Json& old, api::ManagedFields entries, Json& object) {
  const bool same = SameButTimes(entries, api::ManagedFieldsOf(old));
  api::SetManagedFields(object, same ? api::ManagedFieldsOf(old) : entries);
  if (same && object != old) api::SetManagedFields(object, entries);
}

bool IsServing(const AdmissionContext& context) {
  return context.kind->group == api::kServingGroup;
}

}  // namespace

api::FieldWrite AdmissionContext::Write(const Json* old) const {
  std::function<void(Json&)> complete;
  if (old != nullptr && subresource.empty())
    complete = [this, old](Json& object) { SetDefaults(*this, object, old); };
  return {.schema = kind->schema.get(),
          .manager = manager,
          .api_version = kind->ApiVersion(),
          .subresource = subresource,
          .time = api::FormatTimestamp(now),
          .complete = std::move(complete)};
}

std::optional<ApiError> CheckFields(const AdmissionContext& context, api::Document& document,
                                    std::vector<std::string>& warnings) {
  const api::SchemaFindings findings = api::Conform(*context.kind->schema, document.value);
  if (auto error = JudgeFields(context, findings.unknown, document.duplicates, warnings))
    return error;
  if (findings.problems.empty()) return std::nullopt;
  std::vector<api::FieldProblem> problems;
  for (const api::TypeProblem& problem : findings.problems) {
    problems.push_back({.reason = "FieldValueTypeInvalid",
                        .field = problem.path,
                        .message = "Invalid value: \"" + problem.found + "\": " + problem.path +
                                   " in body must be of type " + problem.wanted + ": \"" +
                                   problem.found + "\""});
  }
  return Invalid(*context.kind, api::NameOf(document.value), problems);
}

std::optional<ApiError> CheckIdentity(const api::Kind& kind, Json& object, const std::string& ns,
                                      const std::string& name) {
  if (!object.is_object()) return BadRequest("the body is not an object");
  const std::string version = api::ApiVersionOf(object);
  const std::string kind_name = api::KindOf(object);
  if (kind_name.empty())
    return BadRequest("Object 'Kind' is missing in '" + api::ToText(object).substr(0, 256) + "'");
  if (version.empty())
    return BadRequest("Object 'apiVersion' is missing in '" + api::ToText(object).substr(0, 256) +
                      "'");
  if (version != kind.ApiVersion()) {
    return BadRequest("the API version in the data (" + version +
                      ") does not match the expected API version (" + kind.ApiVersion() + ")");
  }
  if (kind_name != kind.kind) {
    return BadRequest("the kind in the data (" + kind_name +
                      ") does not match the expected kind (" + kind.kind + ")");
  }
  const Json* metadata = api::Find(object, {"metadata"});
  if (metadata != nullptr && !metadata->is_object())
    return std::nullopt;  // the schema says what is wrong
  Json& meta = api::EnsureObject(object, {"metadata"});
  if (kind.namespaced) {
    const std::string given = api::NamespaceOf(object);
    if (!given.empty() && given != ns) {
      return BadRequest(
          "the namespace of the provided object does not match the namespace sent on the request");
    }
    meta["namespace"] = ns;
  } else {
    meta.erase("namespace");
  }
  if (name.empty()) return std::nullopt;
  const std::string given = api::NameOf(object);
  if (!given.empty() && given != name) {
    return BadRequest("the name of the object (" + given +
                      ") does not match the name on the URL (" + name + ")");
  }
  meta["name"] = name;
  return std::nullopt;
}

ApiResult<Admitted> AdmitCreate(const AdmissionContext& context, const std::string& ns,
                                api::Document document, const std::string& uid) {
  Admitted admitted;
  if (auto error = CheckIdentity(*context.kind, document.value, ns, "")) return *std::move(error);
  if (auto error = CheckFields(context, document, admitted.warnings)) return *std::move(error);
  Json& object = document.value;
  Json& metadata = object["metadata"];
  if (!api::StringAt(metadata, {"resourceVersion"}).empty()) {
    return BadRequest("resourceVersion should not be set on objects to be created");
  }
  for (const char* field : {"deletionTimestamp", "deletionGracePeriodSeconds", "managedFields",
                            "selfLink", "generation", "resourceVersion"}) {
    metadata.erase(field);
  }
  metadata["uid"] = uid;
  metadata["creationTimestamp"] = api::FormatTimestamp(context.now);
  if (context.kind->has_generation) metadata["generation"] = 1;
  if (context.kind->has_status) object.erase("status");
  // What Knative's webhook fills in belongs to nobody, Kubernetes' own defaults to who creates.
  if (!IsServing(context)) SetDefaults(context, object, nullptr);
  api::ManagedFields entries =
      context.applied_fields ? *context.applied_fields
                             : api::TrackUpdate(context.Write(nullptr), Json::object(), object, {});
  SetDefaults(context, object, nullptr);

  // A name that is still to be generated is judged by an example of it.
  Json judged = object;
  CompleteName(judged, 0);
  const Json& subject = context.kind->group == api::kServingGroup ? object : judged;
  if (auto error = Validate(context, subject, nullptr, admitted.warnings)) return *std::move(error);
  api::SetManagedFields(object, entries);
  admitted.object = std::move(object);
  return admitted;
}

void CompleteName(Json& object, uint64_t random) {
  const std::string prefix = api::StringAt(object, {"metadata", "generateName"});
  if (!api::NameOf(object).empty() || prefix.empty()) return;
  object["metadata"]["name"] = api::GenerateName(prefix, random);
}

ApiResult<Admitted> AdmitUpdate(const AdmissionContext& context, const Json& old,
                                api::Document document) {
  Admitted admitted;
  if (auto error =
          CheckIdentity(*context.kind, document.value, api::NamespaceOf(old), api::NameOf(old))) {
    return *std::move(error);
  }
  if (auto error = CheckFields(context, document, admitted.warnings)) return *std::move(error);
  if (context.subresource == "status") {
    admitted.object = old;
    KeepMember(document.value, admitted.object, "status");
    SetOwners(old, EntriesAfter(context, old, admitted.object, api::ManagedFieldsOf(old)),
              admitted.object);
    return admitted;
  }
  Json& object = document.value;
  api::ManagedFields before = EntriesBefore(old, object);
  KeepSystemMetadata(old, object);
  if (context.kind->has_status) KeepMember(old, object, "status");
  if (!IsServing(context)) SetDefaults(context, object, &old);
  api::ManagedFields entries = EntriesAfter(context, old, object, std::move(before));
  SetDefaults(context, object, &old);
  if (auto error = Validate(context, object, &old, admitted.warnings)) return *std::move(error);
  if (context.kind->has_generation && !SameDesire(old, object)) {
    object["metadata"]["generation"] = api::GenerationOf(old) + 1;
  }
  SetOwners(old, std::move(entries), object);
  admitted.object = std::move(object);
  return admitted;
}

}  // namespace updraft::controller
