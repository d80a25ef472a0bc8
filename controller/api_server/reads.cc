#include "controller/api_server/selection.h"
#include "controller/api_server/verbs.h"

namespace updraft::controller {

http::Task<ApiResult<Answer>> Get(Call* call) {
  std::optional<Stored> stored = call->store().Get(call->Key());
  if (!stored) co_return NotFound(call->kind(), call->request.name);
  Answer answer;
  answer.object = std::move(stored->object);
  co_return answer;
}

http::Task<ApiResult<Answer>> List(Call* call) {
  ApiResult<Selection> selection = ParseSelection(call->kind(), call->options);
  if (!selection) co_return selection.error();
  const ObjectStore& store = call->store();
  if (std::optional<ApiError> error = CheckListVersion(call->options, store.revision()))
    co_return *std::move(error);
  Answer answer{
      .what = Answer::What::kList, .objects = {}, .revision = store.revision(), .warnings = {}};
  // A selector that pins the name needs no walk over all.
  const std::string name = selection->fields.Name();
  if (!name.empty() && (!call->request.ns.empty() || !call->kind().namespaced)) {
    std::optional<Stored> stored = store.Get(call->KeyOf(name));
    if (stored && selection->Matches(*stored->object))
      answer.objects.push_back(std::move(stored->object));
    co_return answer;
  }
  ListResult all = store.List(call->kind().StoreResource(), call->request.ns);
  answer.revision = all.revision;
  for (std::shared_ptr<const Json>& object : all.objects) {
    if (selection->Matches(*object)) answer.objects.push_back(std::move(object));
  }
  co_return answer;
}

}  // namespace updraft::controller
