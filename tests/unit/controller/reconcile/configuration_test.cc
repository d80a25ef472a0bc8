#include "controller/reconcile/configuration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/controller/reconcile/builders.h"

namespace updraft::controller {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

ReconcilePlan Reconcile(const ConfigurationInputs& in) {
  return ReconcileConfiguration(in, RevisionRetention{}, kNow);
}

Json Generation(Json configuration, int64_t generation) {
  configuration["metadata"]["generation"] = generation;
  return configuration;
}
Json WithLatest(Json configuration, const std::string& created, const std::string& ready) {
  configuration["status"]["latestCreatedRevisionName"] = created;
  if (!ready.empty()) configuration["status"]["latestReadyRevisionName"] = ready;
  return configuration;
}

TEST(ConfigurationTest, ANewGenerationGetsARevisionOfItsNumber) {
  Json configuration = Generation(ConfigurationObject(), 7);
  configuration["metadata"]["annotations"][annotation::kLastModifier] = "me";
  configuration["spec"]["template"]["metadata"] = {
      {"labels", {{"team", "blue"}}},
      {"annotations", {{"autoscaling.knative.dev/min-scale", "1"}}}};
  const ReconcilePlan plan = Reconcile({.configuration = Share(configuration)});
  EXPECT_THAT(Writes(plan),
              ElementsAre("create revisions/hello-00007", "update configurations/hello"));
  EXPECT_THAT(Events(plan), ElementsAre("Created: Created Revision \"hello-00007\""));

  const Json revision = Written(plan, "revisions/hello-00007");
  EXPECT_EQ(revision["metadata"]["labels"],
            (Json{{"team", "blue"},
                  {label::kConfiguration, "hello"},
                  {label::kConfigurationGeneration, "7"},
                  {label::kConfigurationUid, "Configuration-hello-uid"},
                  {label::kService, "hello"},
                  {label::kServiceUid, "Service-hello-uid"},
                  {label::kRoutingState, "active"}}));
  EXPECT_EQ(revision["metadata"]["annotations"],
            (Json{{"autoscaling.knative.dev/min-scale", "1"},
                  {annotation::kCreator, "me"},
                  {annotation::kRoutes, "hello"},
                  {annotation::kRoutingStateModified, "2026-03-01T12:00:00Z"}}));
  EXPECT_EQ(revision["spec"], configuration["spec"]["template"]["spec"]);
  EXPECT_TRUE(api::IsControlledBy(revision, configuration));

  const Json updated = Written(plan, "configurations/hello");
  EXPECT_EQ(updated["status"]["latestCreatedRevisionName"], "hello-00007");
  EXPECT_EQ(updated["status"]["observedGeneration"], 7);
  EXPECT_EQ(ConditionText(updated), "Ready=Unknown");
}

TEST(ConfigurationTest, WithoutARouteARevisionIsBornPending) {
  Json configuration = ConfigurationObject();
  configuration["metadata"]["annotations"].erase(annotation::kRoutes);
  const Json revision =
      Written(Reconcile({.configuration = Share(configuration)}), "revisions/hello-00001");
  EXPECT_EQ(api::LabelOf(revision, label::kRoutingState), "pending");
  EXPECT_FALSE(api::HasAnnotation(revision, annotation::kRoutes));
}

TEST(ConfigurationTest, LongNamesAreShortenedAsKnativeDoes) {
  const std::string name(60, 'a');
  const ReconcilePlan plan = Reconcile({.configuration = Share(ConfigurationObject(name))});
  const auto& create = std::get<CreateObject>(plan.writes.front());
  EXPECT_EQ(create.key.name.size(), 63u);
  EXPECT_TRUE(create.key.name.ends_with("-00001"));
}

TEST(ConfigurationTest, AReadyRevisionMakesItReady) {
  const JsonPtr revision = Share(ReadyObject(RevisionObject()));
  const ReconcilePlan plan =
      Reconcile({.configuration = Share(ConfigurationObject()), .revisions = {revision}});
  EXPECT_THAT(Writes(plan), ElementsAre("update configurations/hello"));
  const Json updated = Written(plan, "configurations/hello");
  EXPECT_EQ(ConditionText(updated), "Ready=True");
  EXPECT_EQ(updated["status"]["latestReadyRevisionName"], "hello-00001");
  EXPECT_THAT(Events(plan),
              ElementsAre("ConfigurationReady: Configuration becomes ready",
                          "LatestReadyUpdate: LatestReadyRevisionName updated to \"hello-00001\""));
  EXPECT_EQ(Reconcile({.configuration = Share(updated), .revisions = {revision}}), ReconcilePlan{});
}

TEST(ConfigurationTest, AFailedRevisionIsTold) {
  const JsonPtr revision = Share(
      ReadyObject(RevisionObject(), "False", "ExitCode1", "Container failed with: no such file"));
  const ReconcilePlan plan =
      Reconcile({.configuration = Share(ConfigurationObject()), .revisions = {revision}});
  const Json updated = Written(plan, "configurations/hello");
  EXPECT_EQ(ConditionText(updated), "Ready=False(RevisionFailed)");
  EXPECT_EQ(MessageOf(updated, "Ready"),
            "Revision \"hello-00001\" failed with message: Container failed with: no such file.");
  EXPECT_THAT(
      Events(plan),
      ElementsAre("LatestCreatedFailed: Latest created revision \"hello-00001\" has failed"));
  EXPECT_EQ(Reconcile({.configuration = Share(updated), .revisions = {revision}}), ReconcilePlan{});
}

TEST(ConfigurationTest, TheLatestReadyRevisionMayFailLater) {
  const Json configuration =
      ReadyObject(WithLatest(ConfigurationObject(), "hello-00001", "hello-00001"));
  const JsonPtr revision = Share(ReadyObject(RevisionObject(), "False", "ErrImagePull", "gone"));
  const ReconcilePlan plan =
      Reconcile({.configuration = Share(configuration), .revisions = {revision}});
  const Json updated = Written(plan, "configurations/hello");
  EXPECT_EQ(ConditionText(updated), "Ready=False(RevisionFailed)");
  EXPECT_EQ(updated["status"]["latestReadyRevisionName"], "hello-00001");
  EXPECT_THAT(
      Events(plan),
      ElementsAre("LatestReadyFailed: Latest ready revision \"hello-00001\" has failed"));
}

struct LatestReadyCase {
  std::string name;
  std::string current;     // latestReady before
  std::vector<int> ready;  // generations of the revisions that are ready, of 1 to 4
  std::string want;        // latestReady after
};

class LatestReadyTest : public testing::TestWithParam<LatestReadyCase> {};

TEST_P(LatestReadyTest, IsTheNewestThatIsNotOlder) {
  const LatestReadyCase& c = GetParam();
  ConfigurationInputs in{.configuration = Share(Generation(
                             WithLatest(ConfigurationObject(), "hello-00004", c.current), 4))};
  for (int generation = 1; generation <= 4; ++generation) {
    const bool ready = std::ranges::count(c.ready, generation) != 0;
    in.revisions.push_back(
        Share(ReadyObject(RevisionObject("hello-0000" + std::to_string(generation), generation),
                          ready ? "True" : "Unknown")));
  }
  const ReconcilePlan plan = Reconcile(in);
  const Json updated =
      plan.writes.empty() ? *in.configuration : Written(plan, "configurations/hello");
  EXPECT_EQ(api::StringAt(updated, {"status", "latestReadyRevisionName"}), c.want);
  EXPECT_EQ(api::IsConditionTrue(updated, "Ready"), c.want == "hello-00004");
}

INSTANTIATE_TEST_SUITE_P(Table, LatestReadyTest,
                         testing::ValuesIn(std::vector<LatestReadyCase>{
                             {"NoneIsReady", "", {}, ""},
                             {"TheNewest", "hello-00002", {1, 2, 3, 4}, "hello-00004"},
                             {"OneInBetween", "hello-00002", {1, 2, 3}, "hello-00003"},
                             {"NeverAnOlderOne", "hello-00002", {1}, "hello-00002"},
                             {"OlderOnlyIfItIsGone", "hello-00009", {1}, "hello-00001"},
                         }),
                         [](const auto& test) { return test.param.name; });

TEST(ConfigurationTest, AReadyRevisionOfAnUnseenGenerationIsNotReady) {
  Json revision = ReadyObject(RevisionObject());
  revision["metadata"]["generation"] = 2;
  const ReconcilePlan plan =
      Reconcile({.configuration = Share(ConfigurationObject()), .revisions = {Share(revision)}});
  EXPECT_EQ(
      api::StringAt(Written(plan, "configurations/hello"), {"status", "latestReadyRevisionName"}),
      "");
}

Json Named(const std::string& name) {
  Json configuration = Generation(ConfigurationObject(), 3);
  configuration["spec"]["template"]["metadata"]["name"] = name;
  return configuration;
}

TEST(ConfigurationTest, ABroughtNameIsUsed) {
  const ReconcilePlan plan = Reconcile({.configuration = Share(Named("hello-blue"))});
  EXPECT_THAT(Writes(plan),
              ElementsAre("create revisions/hello-blue", "update configurations/hello"));
}

TEST(ConfigurationTest, ABroughtNameThatIsTakenFails) {
  for (const Json& other : {RevisionObject("hello-blue", 3, "other"), [] {
                              Json different = RevisionObject("hello-blue", 2);
                              different["spec"]["timeoutSeconds"] = 5;
                              return different;
                            }()}) {
    const ReconcilePlan plan =
        Reconcile({.configuration = Share(Named("hello-blue")), .named_revision = Share(other)});
    EXPECT_THAT(Writes(plan), ElementsAre("update configurations/hello"));
    const Json updated = Written(plan, "configurations/hello");
    EXPECT_EQ(ConditionText(updated), "Ready=False(RevisionFailed)");
    EXPECT_EQ(MessageOf(updated, "Ready"),
              "Revision creation failed with message: revisions.serving.knative.dev \"hello-blue\" "
              "already exists.");
  }
}

TEST(ConfigurationTest, GoingBackToABroughtNameOfTheSameSpecIsAllowed) {
  const JsonPtr blue = Share(ReadyObject(RevisionObject("hello-blue", 1)));
  const JsonPtr green = Share(ReadyObject(RevisionObject("hello-green", 2)));
  const Json configuration = WithLatest(Named("hello-blue"), "hello-green", "hello-green");
  const ReconcilePlan plan = Reconcile(
      {.configuration = Share(configuration), .revisions = {blue, green}, .named_revision = blue});
  EXPECT_THAT(Writes(plan), ElementsAre("update configurations/hello"));
  const Json updated = Written(plan, "configurations/hello");
  EXPECT_EQ(updated["status"]["latestCreatedRevisionName"], "hello-blue");
  EXPECT_EQ(updated["status"]["latestReadyRevisionName"], "hello-blue");
  EXPECT_EQ(ConditionText(updated), "Ready=True");
}

TEST(ConfigurationTest, TheRevisionOfAnEarlierConfigurationOfTheNameIsWaitedFor) {
  Json leftover = RevisionObject();
  leftover["metadata"]["ownerReferences"][0]["uid"] = "earlier-uid";
  const ReconcilePlan plan =
      Reconcile({.configuration = Share(ConfigurationObject()), .named_revision = Share(leftover)});
  EXPECT_THAT(Writes(plan), IsEmpty());
}

}  // namespace
}  // namespace updraft::controller
