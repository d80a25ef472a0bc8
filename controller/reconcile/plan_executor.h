// Carries out the writes of plans. Loop thread only.
#pragma once

#include <memory>
#include <vector>

#include "controller/instances/instance_name.h"
#include "controller/objects/object_store.h"
#include "controller/reconcile/plan.h"
#include "core/base/clock.h"
#include "core/http/task.h"

namespace updraft::controller {

class PlanExecutor {
 public:
  // All must outlive this.
  PlanExecutor(ObjectStore& objects, const Clock& clock, RandomSource random)
      : objects_(objects), clock_(clock), random_(std::move(random)) {}

  // Does all writes side by side, so that they share a commit. kAborted: the plan was made from a
  // state that is out of date, make another; what else fails is worse and wins. Some writes may be
  // done.
  http::Task<Status> Execute(std::vector<Write> writes);

 private:
  struct Batch;

  http::Task<void> RunOne(Write write, std::shared_ptr<Batch> batch);
  http::Task<Status> Run(CreateObject create);
  http::Task<Status> Run(UpdateObject update);
  http::Task<Status> Run(DeleteObject deletion);

  ObjectStore& objects_;
  const Clock& clock_;
  const RandomSource random_;
  http::Scope scope_;
};

}  // namespace updraft::controller
