#include "controller/api_server/admission.h"
#include "controller/api_server/patching.h"
#include "controller/api_server/table.h"
#include "controller/api_server/verbs.h"
#include "controller/objects/deletion.h"
#include "core/api/access.h"
#include "core/api/meta.h"
#include "core/api/names.h"

namespace updraft::controller {
namespace {

// How often a write that another one has overtaken is tried again, where the client named no
// version.
constexpr int kAttemptsMax = 8;

AdmissionContext ContextOf(const Call& call) {
  return {.kind = &call.kind(),
          .config = ReadServingConfig(*call.parts),
          .user = call.parts->user,
          .field_validation = call.options.field_validation,
          .now = call.parts->clock->Wall(),
          .manager = call.ManagerName(),
          .subresource = call.request.subresource,
          .dry_run = call.options.dry_run};
}

Answer AnswerWith(int code, std::shared_ptr<const Json> object, std::vector<std::string> warnings) {
  Answer answer;
  answer.code = code;
  answer.object = std::move(object);
  answer.warnings = std::move(warnings);
  return answer;
}

// Whether something may be made in the call's namespace.
std::optional<ApiError> CheckNamespace(const Call& call, const std::string& name) {
  if (!call.kind().namespaced) return std::nullopt;
  const api::Kind& spaces = *api::FindKind("v1", "Namespace");
  const auto space =
      call.parts->stores(spaces).Get({.resource = "namespaces", .ns = "", .name = call.request.ns});
  if (!space) return NamespaceNotFound(call.request.ns);
  if (!api::IsBeingDeleted(*space->object)) return std::nullopt;
  return Forbidden(call.kind(), name,
                   "unable to create new content in namespace " + call.request.ns +
                       " because it is being terminated");
}

// Versions and uids that the client has written into the object are preconditions.
std::optional<ApiError> CheckPreconditions(const Call& call, const Json& next,
                                           const Stored& current) {
  const std::string& name = call.request.name;
  const std::string uid = api::UidOf(next);
  const std::string current_uid = api::UidOf(*current.object);
  if (!uid.empty() && uid != current_uid) {
    return Conflict(call.kind(), name,
                    "Precondition failed: UID in precondition: " + uid +
                        ", UID in object meta: " + current_uid);
  }
  const std::string version = api::ResourceVersionOf(next);
  if (!version.empty() && version != api::ResourceVersionOf(*current.object))
    return Conflict(call.kind(), name);
  // Kubernetes' rule for custom resources; core kinds may be overwritten unseen.
  if (version.empty() && call.request.verb == Verb::kUpdate && !call.kind().group.empty()) {
    return Invalid(call.kind(), name,
                   {{.reason = "FieldValueInvalid",
                     .field = "metadata.resourceVersion",
                     .message = "Invalid value: 0x0: must be specified for an update"}});
  }
  return std::nullopt;
}

void Prepend(std::vector<std::string> first, std::vector<std::string>& warnings) {
  warnings.insert(warnings.begin(), std::make_move_iterator(first.begin()),
                  std::make_move_iterator(first.end()));
}

http::Task<ApiResult<Answer>> CreateFrom(Call* call, AdmissionContext context,
                                         api::Document document) {
  const uint64_t high = call->parts->random();
  const uint64_t low = call->parts->random();
  ApiResult<Admitted> admitted =
      AdmitCreate(context, call->request.ns, std::move(document), api::MakeUid(high, low));
  if (!admitted) co_return admitted.error();
  const bool generated = api::NameOf(admitted->object).empty();
  for (int attempt = 1;; ++attempt) {
    Json object = admitted->object;
    CompleteName(object, call->parts->random());
    object = call->kind().Stored(std::move(object));
    const std::string name = api::NameOf(object);
    if (std::optional<ApiError> error = CheckNamespace(*call, name)) co_return *std::move(error);
    ObjectKey key = call->KeyOf(name);
    if (call->options.dry_run) {
      if (call->store().Get(key)) co_return AlreadyExists(call->kind(), name);
      co_return AnswerWith(201, std::make_shared<Json>(std::move(object)),
                           std::move(admitted->warnings));
    }
    http::Task<Result<Stored>> creating = call->store().Create(std::move(key), std::move(object));
    Result<Stored> stored = co_await creating;
    if (stored) co_return AnswerWith(201, std::move(stored->object), std::move(admitted->warnings));
    const bool again =
        generated && stored.error().code == Code::kAlreadyExists && attempt < kAttemptsMax;
    if (!again) co_return FromStore(stored.error(), call->kind(), name);
  }
}

// Stores `next` in place of `current`, or removes the object when that was the last thing it waited
// for.
http::Task<Result<Stored>> StoreInPlace(Call* call, Json next, int64_t revision) {
  if (IsFinished(next)) {
    http::Task<Result<Stored>> deleting = call->store().Delete(call->Key(), revision);
    Result<Stored> deleted = co_await deleting;
    co_return deleted;
  }
  http::Task<Result<Stored>> updating =
      call->store().Update(call->Key(), std::move(next), revision);
  Result<Stored> updated = co_await updating;
  co_return updated;
}

// What PUT or PATCH make of `live`.
ApiResult<AppliedDocument> Change(const Call& call, const AdmissionContext& context,
                                  const Json& live, const api::Document& document,
                                  std::optional<PatchType> patch) {
  if (patch == PatchType::kApply) {
    return ApplyConfiguration(context, live, document, call.request,
                              call.options.force.value_or(false));
  }
  if (!patch) return AppliedDocument{.document = document};
  ApiResult<api::Document> patched = ApplyPatch(call.kind(), *patch, live, document);
  if (!patched) return patched.error();
  return AppliedDocument{.document = *std::move(patched)};
}

// PUT and PATCH: `patch` unset means that `document` is the new object.
http::Task<ApiResult<Answer>> Modify(Call* call, api::Document document,
                                     std::optional<PatchType> patch) {
  for (int attempt = 1;; ++attempt) {
    const std::optional<Stored> current = call->store().Get(call->Key());
    if (!current) co_return NotFound(call->kind(), call->request.name);
    AdmissionContext context = ContextOf(*call);
    Json scratch;
    const Json& live = Shown(call->kind(), *current->object, scratch);
    ApiResult<AppliedDocument> next = Change(*call, context, live, document, patch);
    if (!next) co_return next.error();
    const bool versioned = !api::ResourceVersionOf(document.value).empty();
    if (std::optional<ApiError> error = CheckPreconditions(*call, next->document.value, *current))
      co_return *std::move(error);
    if (patch == PatchType::kApply) context.applied_fields = std::move(next->entries);
    ApiResult<Admitted> admitted = AdmitUpdate(context, live, std::move(next->document));
    if (admitted) Prepend(std::move(next->warnings), admitted->warnings);
    if (!admitted) co_return admitted.error();
    admitted->object = call->kind().Stored(std::move(admitted->object));
    if (call->options.dry_run) {
      co_return AnswerWith(200, std::make_shared<Json>(std::move(admitted->object)),
                           std::move(admitted->warnings));
    }
    http::Task<Result<Stored>> storing =
        StoreInPlace(call, std::move(admitted->object), current->revision);
    Result<Stored> stored = co_await storing;
    if (stored) co_return AnswerWith(200, std::move(stored->object), std::move(admitted->warnings));
    const bool again =
        stored.error().code == Code::kAborted && !versioned && attempt < kAttemptsMax;
    if (!again) co_return FromStore(stored.error(), call->kind(), call->request.name);
  }
}

http::Task<ApiResult<Answer>> CreateByApply(Call* call, api::Document configuration) {
  AdmissionContext context = ContextOf(*call);
  const std::string uid = api::UidOf(configuration.value);
  if (!uid.empty()) {
    co_return Conflict(call->kind(), call->request.name,
                       "uid mismatch: the provided object specified uid " + uid +
                           ", and no existing object was found");
  }
  ApiResult<AppliedDocument> applied =
      ApplyConfiguration(context, nullptr, std::move(configuration), call->request, false);
  if (!applied) co_return applied.error();
  context.applied_fields = std::move(applied->entries);
  http::Task<ApiResult<Answer>> creating =
      CreateFrom(call, std::move(context), std::move(applied->document));
  ApiResult<Answer> created = co_await creating;
  if (created) Prepend(std::move(applied->warnings), created->warnings);
  co_return created;
}

}  // namespace

http::Task<ApiResult<Answer>> Create(Call* call) {
  http::Task<ApiResult<api::Document>> reading = ReadDocument(call);
  ApiResult<api::Document> document = co_await reading;
  if (!document) co_return document.error();
  http::Task<ApiResult<Answer>> creating = CreateFrom(call, ContextOf(*call), *std::move(document));
  ApiResult<Answer> answer = co_await creating;
  co_return answer;
}

http::Task<ApiResult<Answer>> Update(Call* call) {
  http::Task<ApiResult<api::Document>> reading = ReadDocument(call);
  ApiResult<api::Document> document = co_await reading;
  if (!document) co_return document.error();
  http::Task<ApiResult<Answer>> changing = Modify(call, *std::move(document), std::nullopt);
  ApiResult<Answer> answer = co_await changing;
  co_return answer;
}

http::Task<ApiResult<Answer>> Patch(Call* call) {
  const std::string content_type(
      call->exchange->request().headers.Get("Content-Type").value_or(""));
  const ApiResult<PatchType> type = ChoosePatchType(call->kind(), content_type);
  if (!type) co_return type.error();
  if (auto error = CheckPatchOptions(*type, call->options)) co_return *std::move(error);
  http::Task<ApiResult<api::Document>> reading = ReadDocument(call);
  ApiResult<api::Document> patch = co_await reading;
  if (!patch) co_return patch.error();
  const bool creates = *type == PatchType::kApply && !call->store().Get(call->Key());
  if (creates && call->request.subresource.empty()) {
    http::Task<ApiResult<Answer>> creating = CreateByApply(call, *std::move(patch));
    ApiResult<Answer> created = co_await creating;
    co_return created;
  }
  http::Task<ApiResult<Answer>> changing = Modify(call, *std::move(patch), *type);
  ApiResult<Answer> answer = co_await changing;
  co_return answer;
}

}  // namespace updraft::controller
