#include "controller/api_server/delete_options.h"
#include "controller/api_server/selection.h"
#include "controller/api_server/verbs.h"
#include "core/api/access.h"
#include "core/api/meta.h"
#include "core/api/timestamp.h"

namespace updraft::controller {
namespace {

constexpr int kDeleteAttemptsMax = 8;

// What became of an object that was to be deleted.
struct Deleted {
  std::shared_ptr<const Json> object = nullptr;
  bool gone = false;  // false: it waits for its finalizers
};

// A pod is what is seen of an instance: it goes when the instance has gone.
ApiResult<Deleted> DeletePod(const Call& call, const std::string& name,
                             const DeleteOptions& options, const Json& pod) {
  const ServerParts& parts = *call.parts;
  if (!options.dry_run && !(parts.evict && parts.evict(name))) return NotFound(call.kind(), name);
  auto leaving = std::make_shared<Json>(pod);
  if (!api::IsBeingDeleted(pod)) {
    Json& metadata = (*leaving)["metadata"];
    metadata["deletionTimestamp"] = api::FormatTimestamp(parts.clock->Wall());
    metadata["deletionGracePeriodSeconds"] =
        api::IntAt(pod, {"spec", "terminationGracePeriodSeconds"}, 30);
  }
  return Deleted{.object = std::move(leaving), .gone = false};
}

http::Task<ApiResult<Deleted>> DeleteOne(Call* call, ObjectKey key, DeleteOptions options) {
  for (int attempt = 1;; ++attempt) {
    const std::optional<Stored> current = call->store().Get(key);
    if (!current) co_return NotFound(call->kind(), key.name);
    if (auto error = CheckDeletable(call->kind(), *current->object, options))
      co_return *std::move(error);
    if (call->kind().kind == "Pod") co_return DeletePod(*call, key.name, options, *current->object);
    std::optional<Json> marked =
        MarkDeleted(*current->object, options.propagation, call->parts->clock->Wall());
    const bool gone = !marked.has_value();
    if (options.dry_run) {
      co_return Deleted{
          .object = gone ? current->object : std::make_shared<Json>(*std::move(marked)),
          .gone = gone};
    }
    http::Task<Result<Stored>> writing =
        gone ? call->store().Delete(key, current->revision)
             : call->store().Update(key, *std::move(marked), current->revision);
    Result<Stored> written = co_await writing;
    if (written) co_return Deleted{.object = std::move(written->object), .gone = gone};
    const bool again = written.error().code == Code::kAborted && attempt < kDeleteAttemptsMax;
    if (!again) co_return FromStore(written.error(), call->kind(), key.name);
  }
}

http::Task<ApiResult<DeleteOptions>> ReadOptions(Call* call) {
  http::Task<ApiResult<api::Document>> reading = ReadDocument(call);
  const ApiResult<api::Document> body = co_await reading;
  if (!body) co_return body.error();
  co_return ParseDeleteOptions(call->options, body->value);
}

}  // namespace

http::Task<ApiResult<Answer>> Delete(Call* call) {
  http::Task<ApiResult<DeleteOptions>> reading = ReadOptions(call);
  const ApiResult<DeleteOptions> options = co_await reading;
  if (!options) co_return options.error();
  http::Task<ApiResult<Deleted>> deleting = DeleteOne(call, call->Key(), *options);
  ApiResult<Deleted> deleted = co_await deleting;
  if (!deleted) co_return deleted.error();
  Answer answer;
  if (deleted->gone) {
    answer.what = Answer::What::kDocument;
    answer.object = std::make_shared<Json>(
        SuccessStatus(call->kind(), call->request.name, api::UidOf(*deleted->object)));
  } else {
    answer.object = std::move(deleted->object);
  }
  co_return answer;
}

http::Task<ApiResult<Answer>> DeleteCollection(Call* call) {
  http::Task<ApiResult<DeleteOptions>> reading = ReadOptions(call);
  const ApiResult<DeleteOptions> options = co_await reading;
  if (!options) co_return options.error();
  const ApiResult<Selection> selection = ParseSelection(call->kind(), call->options);
  if (!selection) co_return selection.error();
  const ListResult all = call->store().List(call->kind().StoreResource(), call->request.ns);
  Answer answer{
      .what = Answer::What::kList, .objects = {}, .revision = all.revision, .warnings = {}};
  for (const std::shared_ptr<const Json>& object : all.objects) {
    if (!selection->Matches(*object)) continue;
    ObjectKey key{.resource = call->kind().StoreResource(),
                  .ns = api::NamespaceOf(*object),
                  .name = api::NameOf(*object)};
    http::Task<ApiResult<Deleted>> deleting = DeleteOne(call, std::move(key), *options);
    ApiResult<Deleted> deleted = co_await deleting;
    if (deleted) {
      answer.objects.push_back(std::move(deleted->object));
    } else if (deleted.error().code != 404) {  // somebody else was faster
      co_return deleted.error();
    }
  }
  co_return answer;
}

http::Task<ApiResult<Answer>> Evict(Call* call) {
  http::Task<ApiResult<api::Document>> reading = ReadDocument(call);
  const ApiResult<api::Document> body = co_await reading;
  if (!body) co_return body.error();
  const std::string name = api::NameOf(body->value);
  if (!name.empty() && name != call->request.name)
    co_return BadRequest("name in URL does not match name in Eviction object: " + name);
  const ApiResult<DeleteOptions> options =
      ParseDeleteOptions(call->options, api::ObjectAt(body->value, {"deleteOptions"}));
  if (!options) co_return options.error();
  http::Task<ApiResult<Deleted>> deleting = DeleteOne(call, call->Key(), *options);
  const ApiResult<Deleted> deleted = co_await deleting;
  if (!deleted) co_return deleted.error();
  Answer answer{.what = Answer::What::kDocument, .code = 201};
  answer.object = std::make_shared<Json>(Json{{"kind", "Status"},
                                              {"apiVersion", "v1"},
                                              {"metadata", Json::object()},
                                              {"status", "Success"},
                                              {"code", 201}});
  co_return answer;
}

}  // namespace updraft::controller
