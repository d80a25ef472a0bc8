#include "controller/reconcile/plan_executor.h"

#include <gtest/gtest.h>

#include "core/store/memory_store.h"
#include "tests/contract/store/callback_queue.h"
#include "tests/unit/controller/objects/run_task.h"
#include "tests/unit/controller/reconcile/builders.h"

namespace updraft::controller {
namespace {

class PlanExecutorTest : public testing::Test {
 protected:
  PlanExecutorTest() { EXPECT_TRUE(RunTask(queue_, objects_.Load())); }

  Status Execute(std::vector<Write> writes) {
    return RunTask(queue_, executor_.Execute(std::move(writes)));
  }
  Json Stored(const ObjectKey& key) {
    const auto stored = objects_.Get(key);
    return stored ? *stored->object : Json();
  }
  Json Created(const Json& object, const ObjectKey& key) {
    EXPECT_TRUE(Execute({CreateObject{key, object}}));
    return Stored(key);
  }

  const ObjectKey service_{resource::kServices, "default", "hello"};
  store::CallbackQueue queue_;
  store::MemoryStore store_{queue_.post()};
  ObjectStore objects_{store_};
  FakeClock clock_;
  uint64_t last_random_ = 0;
  PlanExecutor executor_{objects_, clock_, [this] { return ++last_random_; }};
};

TEST_F(PlanExecutorTest, CreatedObjectsGetAnIdentity) {
  const Json stored = Created(ServiceObject(), service_);
  EXPECT_EQ(api::UidOf(stored).size(), 36u);
  EXPECT_EQ(stored["metadata"]["creationTimestamp"], api::FormatTimestamp(clock_.Wall()));
  EXPECT_EQ(stored["metadata"]["generation"], 1);
}

TEST_F(PlanExecutorTest, AnUpdateOfAnOldStateIsAConflict) {
  Json first = Created(ServiceObject(), service_);
  Json second = first;
  second["spec"]["x"] = 1;
  EXPECT_TRUE(Execute({UpdateObject{service_, second}}));
  first["spec"]["x"] = 2;
  EXPECT_EQ(Execute({UpdateObject{service_, first}}).error().code, Code::kAborted);
  EXPECT_EQ(Stored(service_)["spec"]["x"], 1);
}

TEST_F(PlanExecutorTest, ANameThatWasTakenMeanwhileIsAConflict) {
  Created(ServiceObject(), service_);
  EXPECT_EQ(Execute({CreateObject{service_, ServiceObject()}}).error().code, Code::kAborted);
}

TEST_F(PlanExecutorTest, AFinishedStateRemovesTheObject) {
  Json finished = Created(ServiceObject(), service_);
  finished["metadata"]["deletionTimestamp"] = "2026-03-01T12:00:00Z";
  EXPECT_TRUE(Execute({UpdateObject{service_, finished}}));
  EXPECT_EQ(Stored(service_), nullptr);
}

TEST_F(PlanExecutorTest, DeletionSparesAnotherObjectOfTheName) {
  const Json stored = Created(ServiceObject(), service_);
  EXPECT_TRUE(Execute({DeleteObject{service_, "another-uid", Propagation::kBackground}}));
  EXPECT_EQ(Stored(service_), stored);
  EXPECT_TRUE(Execute({DeleteObject{service_, api::UidOf(stored), Propagation::kForeground}}));
  EXPECT_TRUE(api::IsBeingDeleted(Stored(service_)));
  EXPECT_TRUE(Execute({DeleteObject{service_, api::UidOf(stored), Propagation::kBackground}}));
  EXPECT_EQ(Stored(service_), nullptr);
  EXPECT_TRUE(Execute({DeleteObject{service_, api::UidOf(stored), Propagation::kBackground}}))
      << "gone is gone";
}

TEST_F(PlanExecutorTest, TheWorstOfSeveralErrorsIsToldAndTheOthersAreDone) {
  Created(ServiceObject(), service_);
  const ObjectKey other{resource::kServices, "default", "other"};
  const Status status =
      Execute({CreateObject{service_, ServiceObject()},
               CreateObject{{resource::kServices, "default", "a/b"}, ServiceObject()},
               CreateObject{other, ServiceObject("other")}});
  EXPECT_EQ(status.error().code, Code::kInvalidArgument);
  EXPECT_NE(Stored(other), nullptr);
}

}  // namespace
}  // namespace updraft::controller
