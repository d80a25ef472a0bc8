#include "controller/feeds/known_activators.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/store/memory_store.h"
#include "tests/contract/store/callback_queue.h"
#include "tests/unit/controller/objects/flaky_store.h"
#include "tests/unit/controller/objects/run_task.h"

namespace updraft::controller {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class KnownActivatorsTest : public testing::Test {
 protected:
  KnownActivatorsTest() { Restart(); }

  // A new controller on the same store.
  void Restart() {
    known_.reset();
    later_.clear();
    objects_ = std::make_unique<ObjectStore>(flaky_);
    ASSERT_TRUE(RunTask(queue_, objects_->Load()));
    known_ = std::make_unique<KnownActivators>(
        *objects_, [this](Nanos after, std::function<void()> then) { later_.emplace_back(after, std::move(then)); },
        [this](const std::string& lineage) { remembered_.push_back(lineage); });
  }
  void TryAgain() {
    ASSERT_FALSE(later_.empty());
    const auto then = std::move(later_.front().second);
    later_.erase(later_.begin());
    then();
    queue_.RunPending();
  }

  store::CallbackQueue queue_;
  store::MemoryStore kept_{queue_.post()};
  FlakyStore flaky_{kept_, queue_.post()};
  std::unique_ptr<ObjectStore> objects_;
  std::vector<std::pair<Nanos, std::function<void()>>> later_;
  std::vector<std::string> remembered_;
  std::unique_ptr<KnownActivators> known_;
};

TEST_F(KnownActivatorsTest, WhatIsRememberedIsToldOnceItIsKeptAndSurvivesTheController) {
  EXPECT_THAT(known_->Lineages(), IsEmpty());
  known_->Remember("a");
  known_->Remember("b");
  EXPECT_THAT(remembered_, IsEmpty()) << "not kept yet";
  queue_.RunPending();
  EXPECT_THAT(remembered_, ElementsAre("a", "b"));
  Restart();
  EXPECT_THAT(known_->Lineages(), ElementsAre("a", "b"));
}

TEST_F(KnownActivatorsTest, OneThatIsKnownIsToldAndNotWrittenAgain) {
  known_->Remember("a");
  queue_.RunPending();
  Restart();
  const int64_t before = objects_->revision();
  known_->Remember("a");
  queue_.RunPending();
  EXPECT_THAT(remembered_, ElementsAre("a", "a"));
  EXPECT_EQ(objects_->revision(), before);
}

TEST_F(KnownActivatorsTest, WhatIsForgottenIsGoneForTheNextController) {
  known_->Remember("a");
  queue_.RunPending();
  known_->Forget("a");
  known_->Forget("never seen");
  queue_.RunPending();
  EXPECT_THAT(later_, IsEmpty());
  Restart();
  EXPECT_THAT(known_->Lineages(), IsEmpty());
  EXPECT_THAT(remembered_, ElementsAre("a"));
}

TEST_F(KnownActivatorsTest, TheLastWishCounts) {
  known_->Remember("a");
  known_->Forget("a");  // while the write is under way
  known_->Forget("b");
  known_->Remember("b");
  queue_.RunPending();
  EXPECT_THAT(remembered_, ElementsAre("b"));
  EXPECT_THAT(known_->Lineages(), ElementsAre("b"));
}

TEST_F(KnownActivatorsTest, WhatCannotBeWrittenIsTriedAgainMoreAndMoreSlowly) {
  flaky_.refuse_every = 1;
  known_->Remember("a");
  queue_.RunPending();
  ASSERT_EQ(later_.size(), 1U);
  const Nanos first = later_[0].first;
  known_->Remember("a");  // which is no reason to hurry
  queue_.RunPending();
  ASSERT_EQ(later_.size(), 1U);
  TryAgain();
  ASSERT_EQ(later_.size(), 1U);
  EXPECT_GT(later_[0].first, first);
  EXPECT_THAT(remembered_, IsEmpty());

  known_->Forget("a");
  known_->Remember("b");
  queue_.RunPending();
  ASSERT_EQ(later_.size(), 2U);
  flaky_.refuse_every = 0;
  TryAgain();
  TryAgain();
  EXPECT_THAT(remembered_, ElementsAre("b")) << "the wish of now, not that of the first try";
  EXPECT_THAT(known_->Lineages(), ElementsAre("b"));
}

TEST_F(KnownActivatorsTest, NothingIsTriedForOneThatIsNoMore) {
  flaky_.refuse_every = 1;
  known_->Remember("a");
  queue_.RunPending();
  const auto then = later_.at(0).second;
  Restart();
  flaky_.refuse_every = 0;
  then();
  queue_.RunPending();
  EXPECT_THAT(known_->Lineages(), IsEmpty());
}

}  // namespace
}  // namespace updraft::controller
