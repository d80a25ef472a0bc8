#include "controller/reconcile/plan_executor.h"

#include <charconv>
#include <string>
#include <utility>

#include "controller/objects/completion.h"
#include "core/api/access.h"
#include "core/api/meta.h"
#include "core/api/names.h"
#include "core/api/timestamp.h"

namespace updraft::controller {
namespace {

int64_t RevisionOf(const Json& object) {
  const std::string text = api::ResourceVersionOf(object);
  int64_t revision = 0;
  std::from_chars(text.data(), text.data() + text.size(), revision);
  return revision;
}

// Somebody was faster: the next plan is made from what he did.
bool IsConflict(Code code) {
  return code == Code::kAborted || code == Code::kAlreadyExists || code == Code::kNotFound;
}

Status WithoutResult(const Result<Stored>& result) {
  if (result) return Ok();
  if (IsConflict(result.error().code)) return Error{Code::kAborted, result.error().message};
  return result.error();
}

}  // namespace

struct PlanExecutor::Batch {
  size_t left = 0;
  Status status = Ok();
  Completion<std::monostate> finished;
};

http::Task<Status> PlanExecutor::Execute(std::vector<Write> writes) {
  if (writes.empty()) co_return Ok();
  const auto batch = std::make_shared<Batch>();
  batch->left = writes.size();
  for (Write& write : writes) scope_.Spawn(RunOne(std::move(write), batch));
  co_await batch->finished;
  co_return batch->status;
}

http::Task<void> PlanExecutor::RunOne(Write write, std::shared_ptr<Batch> batch) {
  http::Task<Status> task =
      std::visit([this](auto&& one) { return Run(std::move(one)); }, std::move(write));
  const Status status = co_await task;
  if (!status && (batch->status || batch->status.error().code == Code::kAborted))
    batch->status = status;
  if (--batch->left == 0) batch->finished.callback()({});
}

http::Task<Status> PlanExecutor::Run(CreateObject create) {
  Json& metadata = api::EnsureObject(create.object, {"metadata"});
  metadata["uid"] = api::MakeUid(random_(), random_());
  metadata["creationTimestamp"] = api::FormatTimestamp(clock_.Wall());
  metadata["generation"] = 1;
  http::Task<Result<Stored>> created =
      objects_.Create(std::move(create.key), std::move(create.object));
  const Result<Stored> result = co_await created;
  co_return WithoutResult(result);
}

http::Task<Status> PlanExecutor::Run(UpdateObject update) {
  const int64_t revision = RevisionOf(update.object);
  if (IsFinished(update.object)) {
    http::Task<Result<Stored>> deleted = objects_.Delete(std::move(update.key), revision);
    const Result<Stored> result = co_await deleted;
    co_return WithoutResult(result);
  }
  http::Task<Result<Stored>> updated =
      objects_.Update(std::move(update.key), std::move(update.object), revision);
  const Result<Stored> result = co_await updated;
  co_return WithoutResult(result);
}

http::Task<Status> PlanExecutor::Run(DeleteObject deletion) {
  const std::optional<Stored> stored = objects_.Get(deletion.key);
  if (!stored || api::UidOf(*stored->object) != deletion.uid) co_return Ok();
  std::optional<Json> marked = MarkDeleted(*stored->object, deletion.propagation, clock_.Wall());
  if (marked) {
    http::Task<Result<Stored>> updated =
        objects_.Update(deletion.key, *std::move(marked), stored->revision);
    const Result<Stored> result = co_await updated;
    co_return WithoutResult(result);
  }
  http::Task<Result<Stored>> deleted = objects_.Delete(deletion.key, stored->revision);
  const Result<Stored> result = co_await deleted;
  co_return WithoutResult(result);
}

}  // namespace updraft::controller
