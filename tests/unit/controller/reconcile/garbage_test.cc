#include "controller/reconcile/garbage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/unit/controller/reconcile/builders.h"

namespace updraft::controller {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class GarbageTest : public testing::Test {
 protected:
  void Add(const ObjectKey& key, Json object) { objects_[key] = Share(std::move(object)); }
  ReconcilePlan Collect(const ObjectKey& key, std::vector<ObjectKey> dependents = {}) {
    return CollectGarbage(
        {.key = key,
         .object = objects_.at(key),
         .dependents = std::move(dependents),
         .find =
             [this](const ObjectKey& other) {
               const auto it = objects_.find(other);
               return it == objects_.end() ? nullptr : it->second;
             },
         .alive = [this](const std::string& uid) { return alive_.contains(uid); },
         .has_dependents = [this](const std::string& uid) { return owners_.contains(uid); }});
  }

  const ObjectKey service_{resource::kServices, "default", "hello"};
  const ObjectKey configuration_{resource::kConfigurations, "default", "hello"};
  const ObjectKey revision_{resource::kRevisions, "default", "hello-00001"};
  std::map<ObjectKey, JsonPtr> objects_;
  std::set<std::string> alive_;
  std::set<std::string> owners_;
};

TEST_F(GarbageTest, AnObjectWhoseOwnerIsGoneIsDeleted) {
  Add(configuration_, ConfigurationObject());
  EXPECT_THAT(Writes(Collect(configuration_)), ElementsAre("delete configurations/hello"));
  alive_ = {"Service-hello-uid"};
  EXPECT_THAT(Writes(Collect(configuration_)), IsEmpty());
}

TEST_F(GarbageTest, AnObjectWithoutOwnersStays) {
  Add(service_, ServiceObject());
  EXPECT_THAT(Writes(Collect(service_)), IsEmpty());
}

TEST_F(GarbageTest, OneLivingOwnerIsEnoughAndTheDeadAreForgotten) {
  Json configuration = ConfigurationObject();
  configuration["metadata"]["ownerReferences"].push_back(
      {{"kind", "X"}, {"name", "x"}, {"uid", "x-uid"}});
  Add(configuration_, configuration);
  alive_ = {"x-uid"};
  const ReconcilePlan plan = Collect(configuration_);
  EXPECT_THAT(Writes(plan), ElementsAre("update configurations/hello"));
  const Json updated = Written(plan, "configurations/hello");
  ASSERT_EQ(updated["metadata"]["ownerReferences"].size(), 1u);
  EXPECT_EQ(updated["metadata"]["ownerReferences"][0]["uid"], "x-uid");
}

TEST_F(GarbageTest, InTheForegroundDependentsGoFirst) {
  Add(service_, *MarkDeleted(ServiceObject(), Propagation::kForeground, kNow));
  Add(configuration_, ConfigurationObject());
  owners_ = {"Configuration-hello-uid"};
  alive_ = {"Service-hello-uid"};
  EXPECT_THAT(Writes(Collect(service_, {configuration_})),
              ElementsAre("delete configurations/hello foreground"));
  owners_.clear();
  EXPECT_THAT(Writes(Collect(service_, {configuration_})),
              ElementsAre("delete configurations/hello"));

  Add(configuration_, *MarkDeleted(ConfigurationObject(), Propagation::kForeground, kNow));
  EXPECT_THAT(Writes(Collect(service_, {configuration_})), IsEmpty()) << "it is under way";

  objects_.erase(configuration_);
  const ReconcilePlan plan = Collect(service_, {configuration_});
  EXPECT_THAT(Writes(plan), ElementsAre("update services/hello"));
  EXPECT_TRUE(IsFinished(Written(plan, "services/hello")));
}

TEST_F(GarbageTest, ADependentThatDoesNotBlockIsNotWaitedFor) {
  Add(service_, *MarkDeleted(ServiceObject(), Propagation::kForeground, kNow));
  Json configuration = ConfigurationObject();
  configuration["metadata"]["ownerReferences"][0]["blockOwnerDeletion"] = false;
  Add(configuration_, configuration);
  const ReconcilePlan plan = Collect(service_, {configuration_});
  EXPECT_THAT(Writes(plan), ElementsAre("update services/hello"));
  EXPECT_TRUE(IsFinished(Written(plan, "services/hello")));
}

TEST_F(GarbageTest, OrphansLoseTheirReferenceBeforeTheOwnerGoes) {
  Add(service_, *MarkDeleted(ServiceObject(), Propagation::kOrphan, kNow));
  Add(configuration_, ConfigurationObject());
  const ReconcilePlan plan = Collect(service_, {configuration_});
  EXPECT_THAT(Writes(plan), ElementsAre("update configurations/hello"));
  EXPECT_FALSE(Written(plan, "configurations/hello")["metadata"].contains("ownerReferences"));
  EXPECT_TRUE(IsFinished(Written(Collect(service_, {}), "services/hello")));
}

TEST_F(GarbageTest, SomebodyElsesFinalizerIsWaitedFor) {
  Json service = ServiceObject();
  api::AddFinalizer(service, "example.com/mine");
  Add(service_, *MarkDeleted(service, Propagation::kBackground, kNow));
  EXPECT_THAT(Writes(Collect(service_)), IsEmpty());
}

TEST(DeletionTest, WithoutAnythingThatHoldsItAnObjectGoesAtOnce) {
  EXPECT_EQ(MarkDeleted(ServiceObject(), Propagation::kBackground, kNow), std::nullopt);
}

TEST(DeletionTest, AForegroundDeletionIsMarkedAndCanBeSpedUp) {
  const std::optional<Json> marked = MarkDeleted(ServiceObject(), Propagation::kForeground, kNow);
  ASSERT_TRUE(marked);
  EXPECT_EQ((*marked)["metadata"]["deletionTimestamp"], "2026-03-01T12:00:00Z");
  EXPECT_EQ((*marked)["metadata"]["finalizers"], Json::array({"foregroundDeletion"}));
  EXPECT_EQ((*marked)["metadata"]["generation"], 2);
  EXPECT_FALSE(IsFinished(*marked));
  EXPECT_EQ(MarkDeleted(*marked, Propagation::kBackground, kNow), std::nullopt);
}

TEST(NamespaceTest, IsEmptiedAndThenGoes) {
  const ObjectKey key{resource::kNamespaces, "", "blue"};
  Json ns = Object("v1", "Namespace", "blue");
  EXPECT_THAT(Writes(EmptyNamespace(key, ns, {})), IsEmpty());
  ns = *MarkDeleted(ns, Propagation::kBackground, kNow);
  EXPECT_EQ(ns["status"]["phase"], "Terminating");

  const ObjectKey service{resource::kServices, "blue", "hello"};
  const ObjectKey going{resource::kServices, "blue", "going"};
  EXPECT_THAT(
      Writes(EmptyNamespace(
          key, ns,
          {{service, Share(ServiceObject())},
           {going, Share(*MarkDeleted(ServiceObject("going"), Propagation::kForeground, kNow))}})),
      ElementsAre("delete services/hello"));
  const ReconcilePlan plan = EmptyNamespace(key, ns, {});
  EXPECT_TRUE(IsFinished(Written(plan, "core namespaces/blue")));
}

}  // namespace
}  // namespace updraft::controller
