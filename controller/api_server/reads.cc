#include <algorithm>

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

namespace {

// What is read of the store at once where a selector picks few.
constexpr size_t kObjectsReadMin = 500;

struct Gathering {
  Answer answer = {};
  ObjectKey last = {};  // of those that were looked at
  bool more = false;    // there are some that were not
  std::optional<size_t> total = std::nullopt;
};

// Takes what matches of a page, up to the limit.
void Take(ObjectPage page, const Selection& selection, size_t limit, Gathering& gathering) {
  gathering.answer.revision = page.revision;
  gathering.total = page.total;
  gathering.more = page.more;
  for (size_t i = 0; i < page.objects.size(); ++i) {
    if (limit != 0 && gathering.answer.objects.size() == limit) {
      gathering.more = true;
      return;
    }
    gathering.last = std::move(page.keys[i]);
    if (selection.Matches(*page.objects[i]))
      gathering.answer.objects.push_back(std::move(page.objects[i]));
  }
}

http::Task<ApiResult<Answer>> ListPart(Call* call, const Selection* selection, ListPlan plan) {
  const bool all = selection->labels.empty() && selection->fields.empty();
  PageRequest request{.resource = call->kind().StoreResource(),
                      .ns = call->request.ns,
                      .limit = plan.limit,
                      .revision = plan.revision,
                      .after_ns = plan.after_ns,
                      .after_name = plan.after_name};
  if (plan.limit != 0 && !all) request.limit = std::max(plan.limit, kObjectsReadMin);
  Gathering gathering{.answer = {.what = Answer::What::kList}};
  bool full = false;
  do {
    http::Task<Result<ObjectPage>> reading = call->store().ListPage(request);
    Result<ObjectPage> page = co_await reading;
    if (!page) {
      if (page.error().code == Code::kOutOfRange) co_return ListExpired(plan);
      co_return FromStore(page.error(), call->kind(), "");
    }
    Take(*std::move(page), *selection, plan.limit, gathering);
    request.revision = gathering.answer.revision;
    request.after_ns = gathering.last.ns;
    request.after_name = gathering.last.name;
    full = plan.limit != 0 && gathering.answer.objects.size() == plan.limit;
  } while (gathering.more && !full);
  Answer answer = std::move(gathering.answer);
  if (!gathering.more) co_return answer;
  const size_t seen = plan.seen + answer.objects.size();
  answer.continue_token =
      ContinueToken(answer.revision, gathering.last.ns, gathering.last.name, seen);
  if (all && gathering.total && *gathering.total > seen)
    answer.remaining = static_cast<int64_t>(*gathering.total - seen);
  co_return answer;
}

}  // namespace

http::Task<ApiResult<Answer>> List(Call* call) {
  const ApiResult<Selection> selection = ParseSelection(call->kind(), call->options);
  if (!selection) co_return selection.error();
  const ObjectStore& store = call->store();
  ApiResult<ListPlan> plan = PlanList(call->options, store.revision());
  if (!plan) co_return plan.error();
  // A selector that pins the name needs no walk over all.
  const std::string name = selection->fields.Name();
  if (!name.empty() && plan->revision == 0 &&
      (!call->request.ns.empty() || !call->kind().namespaced)) {
    Answer answer{.what = Answer::What::kList};
    answer.revision = store.revision();
    std::optional<Stored> stored = store.Get(call->KeyOf(name));
    if (stored && selection->Matches(*stored->object))
      answer.objects.push_back(std::move(stored->object));
    co_return answer;
  }
  http::Task<ApiResult<Answer>> listing = ListPart(call, &*selection, *std::move(plan));
  ApiResult<Answer> answer = co_await listing;
  co_return answer;
}

}  // namespace updraft::controller
