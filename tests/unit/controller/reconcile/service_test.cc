#include "controller/reconcile/service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/controller/reconcile/builders.h"

namespace updraft::controller {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Json ConfigurationReady() {
  Json configuration = ReadyObject(ConfigurationObject());
  configuration["status"]["latestCreatedRevisionName"] = "hello-00001";
  configuration["status"]["latestReadyRevisionName"] = "hello-00001";
  return configuration;
}

Json RouteReady() {
  Json route = ReadyObject(RouteObject());
  route["status"]["url"] = "http://hello.default.localhost";
  route["status"]["address"] = {{"url", "http://hello.default.svc.cluster.local"}};
  route["status"]["traffic"] = {
      {{"latestRevision", true}, {"percent", 100}, {"revisionName", "hello-00001"}}};
  return route;
}

TEST(ServiceTest, ANewServiceGetsItsChildrenAndWaitsForThem) {
  const ReconcilePlan plan = ReconcileService({.service = Share(ServiceObject())}, kNow);
  EXPECT_THAT(Writes(plan), ElementsAre("create configurations/hello", "create routes/hello",
                                        "update services/hello"));
  EXPECT_THAT(Events(plan), ElementsAre("Created: Created Configuration \"hello\"",
                                        "Created: Created Route \"hello\""));
  EXPECT_EQ(ConditionText(Written(plan, "services/hello")),
            "ConfigurationsReady=Unknown(OutOfDate) Ready=Unknown(OutOfDate) "
            "RoutesReady=Unknown(OutOfDate)");
}

TEST(ServiceTest, ChildrenInheritLabelsAndAnnotations) {
  Json service = ServiceObject();
  service["metadata"]["labels"] = {{"team", "blue"}};
  service["metadata"]["annotations"] = {{"note", "x"},
                                        {annotation::kLastApplied, "{}"},
                                        {annotation::kRolloutDuration, "20s"},
                                        {annotation::kCreator, "me"}};
  const ReconcilePlan plan = ReconcileService({.service = Share(service)}, kNow);
  const Json configuration = Written(plan, "configurations/hello");
  EXPECT_EQ(configuration["metadata"]["labels"], (Json{{"team", "blue"},
                                                       {label::kService, "hello"},
                                                       {label::kServiceUid, "Service-hello-uid"}}));
  EXPECT_EQ(configuration["metadata"]["annotations"],
            (Json{{"note", "x"}, {annotation::kCreator, "me"}, {annotation::kRoutes, "hello"}}));
  EXPECT_TRUE(api::IsControlledBy(configuration, service));
  EXPECT_EQ(configuration["spec"], (Json{{"template", service["spec"]["template"]}}));

  const Json route = Written(plan, "routes/hello");
  EXPECT_EQ(route["metadata"]["labels"], (Json{{"team", "blue"}, {label::kService, "hello"}}));
  EXPECT_EQ(
      route["metadata"]["annotations"],
      (Json{{"note", "x"}, {annotation::kCreator, "me"}, {annotation::kRolloutDuration, "20s"}}));
  EXPECT_TRUE(api::IsControlledBy(route, service));
}

TEST(ServiceTest, TheRouteNamesTheConfigurationWhereTheServiceNamesNoRevision) {
  Json service = ServiceObject();
  service["spec"]["traffic"] = {{{"revisionName", "hello-00001"}, {"percent", 90}},
                                {{"latestRevision", true}, {"percent", 10}, {"tag", "next"}}};
  const Json route = Written(ReconcileService({.service = Share(service)}, kNow), "routes/hello");
  EXPECT_EQ(route["spec"]["traffic"][0], (Json{{"revisionName", "hello-00001"}, {"percent", 90}}));
  EXPECT_EQ(route["spec"]["traffic"][1], (Json{{"latestRevision", true},
                                               {"percent", 10},
                                               {"tag", "next"},
                                               {"configurationName", "hello"}}));
}

TEST(ServiceTest, AReadyServiceShowsWhatItsChildrenSay) {
  const ReconcilePlan plan = ReconcileService({.service = Share(ServiceObject()),
                                               .configuration = Share(ConfigurationReady()),
                                               .route = Share(RouteReady())},
                                              kNow);
  EXPECT_THAT(Writes(plan), ElementsAre("update services/hello"));
  const Json service = Written(plan, "services/hello");
  EXPECT_EQ(ConditionText(service), "ConfigurationsReady=True Ready=True RoutesReady=True");
  EXPECT_EQ(service["status"]["url"], "http://hello.default.localhost");
  EXPECT_EQ(service["status"]["address"]["url"], "http://hello.default.svc.cluster.local");
  EXPECT_EQ(service["status"]["traffic"], RouteReady()["status"]["traffic"]);
  EXPECT_EQ(service["status"]["latestReadyRevisionName"], "hello-00001");
  EXPECT_EQ(service["status"]["latestCreatedRevisionName"], "hello-00001");
  EXPECT_EQ(service["status"]["observedGeneration"], 1);

  const ReconcilePlan again = ReconcileService({.service = Share(service),
                                                .configuration = Share(ConfigurationReady()),
                                                .route = Share(RouteReady())},
                                               kNow);
  EXPECT_EQ(again, ReconcilePlan{});
}

TEST(ServiceTest, AChangedTemplateGoesToTheConfigurationAsANewGeneration) {
  Json service = ServiceObject();
  service["spec"]["template"]["spec"]["containers"][0]["image"] = "example.com/hello:2";
  service["metadata"]["generation"] = 2;
  const ReconcilePlan plan = ReconcileService({.service = Share(service),
                                               .configuration = Share(ConfigurationReady()),
                                               .route = Share(RouteReady())},
                                              kNow);
  EXPECT_THAT(Writes(plan), ElementsAre("update configurations/hello", "update services/hello"));
  EXPECT_EQ(Written(plan, "configurations/hello")["metadata"]["generation"], 2);
  EXPECT_EQ(ConditionText(Written(plan, "services/hello")),
            "ConfigurationsReady=Unknown(OutOfDate) Ready=Unknown(OutOfDate) RoutesReady=True");
}

TEST(ServiceTest, ChangedTrafficLeavesTheConfigurationAlone) {
  Json service = ServiceObject();
  service["spec"]["traffic"] = {{{"revisionName", "hello-00001"}, {"percent", 100}}};
  const ReconcilePlan plan = ReconcileService({.service = Share(service),
                                               .configuration = Share(ConfigurationReady()),
                                               .route = Share(RouteReady())},
                                              kNow);
  EXPECT_THAT(Writes(plan), ElementsAre("update routes/hello", "update services/hello"));
  EXPECT_EQ(Written(plan, "routes/hello")["metadata"]["generation"], 2);
  EXPECT_EQ(ConditionText(Written(plan, "services/hello")),
            "ConfigurationsReady=True Ready=Unknown(OutOfDate) RoutesReady=Unknown(OutOfDate)");
}

TEST(ServiceTest, AReadyRouteThatStillLeadsToTheOldRevisionIsNotMigrated) {
  Json configuration = ConfigurationReady();
  configuration["status"]["latestReadyRevisionName"] = "hello-00002";
  configuration["status"]["latestCreatedRevisionName"] = "hello-00002";
  const ReconcilePlan plan = ReconcileService({.service = Share(ServiceObject()),
                                               .configuration = Share(configuration),
                                               .route = Share(RouteReady())},
                                              kNow);
  const Json service = Written(plan, "services/hello");
  EXPECT_EQ(ConditionText(service),
            "ConfigurationsReady=True Ready=Unknown(TrafficNotMigrated) "
            "RoutesReady=Unknown(TrafficNotMigrated)");
  EXPECT_EQ(MessageOf(service, "RoutesReady"),
            "Traffic is not yet migrated to the latest revision.");
}

TEST(ServiceTest, FailuresOfChildrenAreItsOwn) {
  const Json configuration = ReadyObject(ConfigurationObject(), "False", "RevisionFailed",
                                         "Revision \"hello-00001\" failed with message: x.");
  const Json route = ReadyObject(RouteObject(), "False", "RevisionMissing",
                                 "Configuration \"hello\" does not have any ready Revision.");
  const ReconcilePlan plan = ReconcileService({.service = Share(ServiceObject()),
                                               .configuration = Share(configuration),
                                               .route = Share(route)},
                                              kNow);
  const Json service = Written(plan, "services/hello");
  EXPECT_EQ(ConditionText(service),
            "ConfigurationsReady=False(RevisionFailed) Ready=False(RevisionFailed) "
            "RoutesReady=False(RevisionMissing)");
  EXPECT_EQ(MessageOf(service, "Ready"), "Revision \"hello-00001\" failed with message: x.");
}

TEST(ServiceTest, AForeignConfigurationIsLeftAlone) {
  Json foreign = ConfigurationObject();
  foreign["metadata"]["ownerReferences"][0]["name"] = "other";
  foreign["metadata"]["ownerReferences"][0]["uid"] = "other-uid";
  const ReconcilePlan plan =
      ReconcileService({.service = Share(ServiceObject()), .configuration = Share(foreign)}, kNow);
  EXPECT_THAT(Writes(plan), ElementsAre("update services/hello"));
  const Json service = Written(plan, "services/hello");
  EXPECT_EQ(ConditionText(service),
            "ConfigurationsReady=False(NotOwned) Ready=False(NotOwned) RoutesReady=Unknown");
  EXPECT_EQ(MessageOf(service, "Ready"),
            "There is an existing Configuration \"hello\" that we do not own.");
}

TEST(ServiceTest, AForeignRouteIsLeftAlone) {
  Json foreign = RouteObject();
  foreign["metadata"].erase("ownerReferences");
  const ReconcilePlan plan = ReconcileService({.service = Share(ServiceObject()),
                                               .configuration = Share(ConfigurationReady()),
                                               .route = Share(foreign)},
                                              kNow);
  EXPECT_THAT(Writes(plan), ElementsAre("update services/hello"));
  EXPECT_EQ(ConditionText(Written(plan, "services/hello")),
            "ConfigurationsReady=True Ready=False(NotOwned) RoutesReady=False(NotOwned)");
}

TEST(ServiceTest, TheLeftoversOfAnEarlierServiceOfTheNameAreWaitedFor) {
  Json leftover = ConfigurationObject();
  leftover["metadata"]["ownerReferences"][0]["uid"] = "earlier-uid";
  const ReconcilePlan plan =
      ReconcileService({.service = Share(ServiceObject()), .configuration = Share(leftover)}, kNow);
  EXPECT_THAT(Writes(plan), ElementsAre("update services/hello"));
  EXPECT_EQ(ConditionText(Written(plan, "services/hello")),
            "ConfigurationsReady=Unknown(OutOfDate) Ready=Unknown(OutOfDate) RoutesReady=Unknown");
}

Json NamedService(const std::string& revision) {
  Json service = ServiceObject();
  service["spec"]["template"]["metadata"]["name"] = revision;
  return service;
}

TEST(ServiceTest, ABroughtNameHoldsTheRouteBackUntilTheConfigurationHasSeenIt) {
  const ReconcilePlan plan = ReconcileService({.service = Share(NamedService("hello-blue"))}, kNow);
  EXPECT_THAT(Writes(plan), ElementsAre("create configurations/hello", "update services/hello"));
}

TEST(ServiceTest, ATakenNameKeepsTheTrafficWhereItIs) {
  Json configuration = ReadyObject(ConfigurationObject(), "False", "RevisionFailed", "taken");
  configuration["spec"]["template"]["metadata"]["name"] = "hello-blue";
  Json other = RevisionObject("hello-blue", 1, "other");
  const ReconcilePlan plan = ReconcileService({.service = Share(NamedService("hello-blue")),
                                               .configuration = Share(configuration),
                                               .route = Share(RouteReady()),
                                               .named_revision = Share(other)},
                                              kNow);
  EXPECT_THAT(Writes(plan), ElementsAre("update services/hello"));
  const Json service = Written(plan, "services/hello");
  EXPECT_EQ(api::ConditionOf(service, "RoutesReady")->reason, "RevisionNameTaken");
  EXPECT_EQ(MessageOf(service, "RoutesReady"),
            "The revision name \"hello-blue\" is taken by a conflicting Revision, so traffic will "
            "not be migrated");
}

TEST(ServiceTest, ABroughtNameOfItsOwnLetsTheRouteThrough) {
  Json configuration = ConfigurationReady();
  configuration["spec"]["template"]["metadata"]["name"] = "hello-blue";
  const ReconcilePlan plan =
      ReconcileService({.service = Share(NamedService("hello-blue")),
                        .configuration = Share(configuration),
                        .named_revision = Share(RevisionObject("hello-blue"))},
                       kNow);
  EXPECT_THAT(Writes(plan), ElementsAre("create routes/hello", "update services/hello"));
}

}  // namespace
}  // namespace updraft::controller
