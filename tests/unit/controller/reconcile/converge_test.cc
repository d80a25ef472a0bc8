// From what users apply to what they see, through all reconcilers at once.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/unit/controller/reconcile/platform.h"

namespace updraft::controller {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::UnorderedElementsAre;

const ObjectKey kService{resource::kServices, "default", "hello"};
const ObjectKey kConfiguration{resource::kConfigurations, "default", "hello"};
const ObjectKey kRoute{resource::kRoutes, "default", "hello"};
ObjectKey Revision(const std::string& name) { return {resource::kRevisions, "default", name}; }

constexpr char kImage[] = "example.com/hello";
constexpr char kReady[] = "ConfigurationsReady=True Ready=True RoutesReady=True";

void SetImage(Json& service, const std::string& image) {
  service["spec"]["template"]["spec"]["containers"][0]["image"] = image;
}

TEST(ConvergeTest, AnAppliedServiceBecomesReadyAndIsThenLeftAlone) {
  Platform platform;
  platform.Create(resource::kServices, ServiceObject());
  platform.Settle();
  const Json service = platform.Get(kService);
  EXPECT_EQ(ConditionText(service), kReady);
  EXPECT_EQ(service["status"]["url"], "http://hello.default.localhost:8080");
  EXPECT_EQ(service["status"]["latestReadyRevisionName"], "hello-00001");
  EXPECT_EQ(service["status"]["traffic"][0]["revisionName"], "hello-00001");
  EXPECT_EQ(service["status"]["observedGeneration"], 1);
  EXPECT_THAT(platform.All(),
              UnorderedElementsAre("services/hello", "configurations/hello", "routes/hello",
                                   "revisions/hello-00001", "core services/hello"));
  EXPECT_EQ(platform.Get(Revision("hello-00001"))["status"]["containerStatuses"][0]["imageDigest"],
            "example.com/hello@sha256:" + std::string(64, 'd'));
  EXPECT_THAT(platform.EventReasons(), IsSupersetOf({"Created", "RevisionReady",
                                                     "ConfigurationReady", "LatestReadyUpdate"}));

  const int64_t revision = platform.revision();
  platform.Advance(std::chrono::hours(24));
  EXPECT_EQ(platform.revision(), revision) << "nothing is written when nothing changes";
}

TEST(ConvergeTest, ItIsNotReadyBeforeActivatorsRouteToIt) {
  Platform platform;
  platform.activators_follow = false;
  platform.Create(resource::kServices, ServiceObject());
  platform.Settle();
  EXPECT_EQ(ConditionText(platform.Get(kService)),
            "ConfigurationsReady=True Ready=Unknown(IngressNotConfigured) "
            "RoutesReady=Unknown(IngressNotConfigured)");
  platform.activators_follow = true;
  platform.Settle();
  EXPECT_EQ(ConditionText(platform.Get(kService)), kReady);
}

TEST(ConvergeTest, ACrashAtStartShowsInAllConditionsAndIsForgottenWhenItIsMended) {
  Platform platform;
  platform.runtime.crashing[kImage] = {"ExitCode7", "cannot open config"};
  platform.Create(resource::kServices, ServiceObject());
  platform.Settle();
  EXPECT_EQ(ConditionText(platform.Get(Revision("hello-00001"))),
            "Active=Unknown(Queued) ContainerHealthy=False(ExitCode7) Ready=False(ExitCode7) "
            "ResourcesAvailable=Unknown(Deploying)");
  EXPECT_EQ(
      MessageOf(platform.Get(kConfiguration), "Ready"),
      "Revision \"hello-00001\" failed with message: Container failed with: cannot open config.");
  EXPECT_EQ(ConditionText(platform.Get(kService)),
            "ConfigurationsReady=False(RevisionFailed) Ready=False(RevisionFailed) "
            "RoutesReady=False(RevisionMissing)");
  EXPECT_THAT(platform.EventReasons(), Contains("LatestCreatedFailed"));

  platform.Edit(kService, [](Json& service) { SetImage(service, "example.com/mended"); });
  platform.Settle();
  EXPECT_EQ(ConditionText(platform.Get(kService)), kReady);
  EXPECT_EQ(platform.Get(kService)["status"]["latestReadyRevisionName"], "hello-00002");
}

TEST(ConvergeTest, ABadRevisionNeverGetsTraffic) {
  Platform platform;
  platform.Create(resource::kServices, ServiceObject());
  platform.Settle();
  platform.runtime.crashing["example.com/bad"] = {"ExitCode1", "x"};
  platform.Edit(kService, [](Json& service) { SetImage(service, "example.com/bad"); });
  platform.Settle();
  const Json service = platform.Get(kService);
  EXPECT_EQ(
      ConditionText(service),
      "ConfigurationsReady=False(RevisionFailed) Ready=False(RevisionFailed) RoutesReady=True");
  EXPECT_EQ(service["status"]["latestCreatedRevisionName"], "hello-00002");
  EXPECT_EQ(service["status"]["latestReadyRevisionName"], "hello-00001");
  EXPECT_EQ(service["status"]["traffic"][0]["revisionName"], "hello-00001");
  EXPECT_EQ(api::LabelOf(platform.Get(Revision("hello-00001")), label::kRoutingState), "active");
}

TEST(ConvergeTest, AGoodRevisionTakesOverAndTheOldOneIsInReserve) {
  Platform platform;
  platform.Create(resource::kServices, ServiceObject());
  platform.Settle();
  platform.Edit(kService, [](Json& service) { SetImage(service, "example.com/better"); });
  platform.Settle();
  EXPECT_EQ(ConditionText(platform.Get(kService)), kReady);
  EXPECT_EQ(platform.Get(kService)["status"]["traffic"][0]["revisionName"], "hello-00002");
  EXPECT_EQ(api::LabelOf(platform.Get(Revision("hello-00001")), label::kRoutingState), "reserve");
  EXPECT_EQ(api::LabelOf(platform.Get(Revision("hello-00002")), label::kRoutingState), "active");
}

// "hello-00001=94 hello-00002=6", as the service's status says.
std::string TrafficText(const Platform& platform) {
  std::string text;
  const Json service = platform.Get(kService);
  for (const Json& target : api::ArrayAt(service, {"status", "traffic"})) {
    text += (text.empty() ? "" : " ") + api::StringAt(target, {"revisionName"}) + "=" +
            std::to_string(api::IntAt(target, {"percent"}));
  }
  return text;
}

void RollOut(Platform& platform, const std::string& image) {
  platform.Edit(kService, [&image](Json& service) {
    service["metadata"]["annotations"][annotation::kRolloutDuration] = "20s";
    SetImage(service, image);
  });
  platform.Settle();
}

TEST(ConvergeTest, WithARolloutDurationTrafficMovesStepByStepAlsoThroughARestart) {
  Platform platform;
  platform.Create(resource::kServices, ServiceObject());
  platform.Settle();
  RollOut(platform, "example.com/better");
  EXPECT_EQ(TrafficText(platform), "hello-00001=99 hello-00002=1");
  EXPECT_EQ(ConditionText(platform.Get(kService)),
            "ConfigurationsReady=True Ready=Unknown(RolloutInProgress) "
            "RoutesReady=Unknown(RolloutInProgress)");
  EXPECT_EQ(MessageOf(platform.Get(kRoute), "IngressReady"),
            "A gradual rollout of the latest revision(s) is in progress.");
  // 19 seconds are left after the first, for 19 steps of 5 percent and one for the rest.
  for (int percent = 6; percent < 100; percent += 5) {
    platform.Advance(Seconds(1));
    EXPECT_EQ(TrafficText(platform), "hello-00001=" + std::to_string(100 - percent) +
                                         " hello-00002=" + std::to_string(percent));
    EXPECT_EQ(api::LabelOf(platform.Get(Revision("hello-00001")), label::kRoutingState), "active");
    if (percent == 51) platform.StartController();
  }
  platform.Advance(Seconds(1));
  EXPECT_EQ(TrafficText(platform), "hello-00002=100");
  EXPECT_EQ(ConditionText(platform.Get(kService)), kReady);
  EXPECT_FALSE(platform.Get(kRoute)["status"].contains("annotations"));
  EXPECT_EQ(api::LabelOf(platform.Get(Revision("hello-00001")), label::kRoutingState), "reserve");
}

TEST(ConvergeTest, AStepWaitsForActivatorsToRouteByTheFirst) {
  Platform platform;
  platform.Create(resource::kServices, ServiceObject());
  platform.Settle();
  platform.activators_follow = false;
  RollOut(platform, "example.com/better");
  platform.Advance(Seconds(5));
  EXPECT_EQ(TrafficText(platform), "hello-00001=99 hello-00002=1");
  platform.activators_follow = true;
  platform.Settle();
  // It took 5 seconds: three steps fit into the other 15.
  platform.Advance(Seconds(4));
  EXPECT_EQ(TrafficText(platform), "hello-00001=99 hello-00002=1");
  platform.Advance(Seconds(1));
  EXPECT_EQ(TrafficText(platform), "hello-00001=66 hello-00002=34");
  platform.Advance(Seconds(10));
  EXPECT_EQ(TrafficText(platform), "hello-00002=100");
}

TEST(ConvergeTest, ARolloutThatIsOvertakenGoesOnWithTheNewest) {
  Platform platform;
  platform.Create(resource::kServices, ServiceObject());
  platform.Settle();
  RollOut(platform, "example.com/better");
  platform.Advance(Seconds(2));
  RollOut(platform, "example.com/best");
  EXPECT_EQ(TrafficText(platform), "hello-00001=89 hello-00002=10 hello-00003=1");
  platform.Advance(Seconds(2));
  EXPECT_EQ(TrafficText(platform), "hello-00001=89 hello-00003=11");

  // A revision that is deleted on the way leaves its share to the newest.
  platform.Delete(Revision("hello-00001"), Propagation::kBackground);
  platform.Settle();
  EXPECT_EQ(TrafficText(platform), "hello-00003=100");
}

TEST(ConvergeTest, WithoutTheDurationARolloutEndsAtOnce) {
  Platform platform;
  platform.Create(resource::kServices, ServiceObject());
  platform.Settle();
  RollOut(platform, "example.com/better");
  platform.Edit(kService, [](Json& service) {
    service["metadata"]["annotations"].erase(annotation::kRolloutDuration);
  });
  platform.Settle();
  EXPECT_EQ(TrafficText(platform), "hello-00002=100");
  EXPECT_EQ(ConditionText(platform.Get(kService)), kReady);
}

TEST(ConvergeTest, ARevisionThatNeverBecomesReadyBeginsNoRollout) {
  Platform platform;
  platform.Create(resource::kServices, ServiceObject());
  platform.Settle();
  platform.runtime.crashing["example.com/bad"] = {"ExitCode1", "x"};
  RollOut(platform, "example.com/bad");
  platform.Advance(Seconds(60));
  EXPECT_EQ(TrafficText(platform), "hello-00001=100");
}

TEST(ConvergeTest, AnImageThatCannotBeHadIsToldInWordsAndTriedAgainMoreAndMoreSeldom) {
  Platform platform;
  platform.registry.broken[kImage] = {Code::kNotFound, "manifest unknown"};
  platform.Create(resource::kServices, ServiceObject());
  platform.Settle();
  EXPECT_EQ(MessageOf(platform.Get(kService), "Ready"),
            "Revision \"hello-00001\" failed with message: Unable to fetch image "
            "\"example.com/hello\": failed to "
            "resolve image to digest: manifest unknown.");
  EXPECT_EQ(platform.registry.asked, 1);
  platform.Advance(Seconds(30));
  const int after_30_seconds = platform.registry.asked;
  EXPECT_GE(after_30_seconds, 4);
  EXPECT_LE(after_30_seconds, 9);

  platform.registry.broken.clear();
  platform.Advance(Seconds(60));
  EXPECT_EQ(ConditionText(platform.Get(kService)), kReady);
  const int asked = platform.registry.asked;
  platform.Advance(std::chrono::hours(1));
  EXPECT_EQ(platform.registry.asked, asked);
}

TEST(ConvergeTest, PullSecretsGoAlongWhenAnImageIsResolved) {
  Platform platform;
  Json secret = Object("v1", "Secret", "regcred");
  secret["type"] = "kubernetes.io/dockerconfigjson";
  // {"auths":{"example.com":{"username":"u","password":"p"}}}
  secret["data"] = {
      {".dockerconfigjson",
       "eyJhdXRocyI6eyJleGFtcGxlLmNvbSI6eyJ1c2VybmFtZSI6InUiLCJwYXNzd29yZCI6InAifX19"}};
  platform.Create(resource::kSecrets, secret);
  Json service = ServiceObject();
  service["spec"]["template"]["spec"]["imagePullSecrets"] = {{{"name", "regcred"}}};
  platform.Create(resource::kServices, service);
  platform.Settle();
  ASSERT_EQ(platform.registry.last_auth.size(), 1u);
  EXPECT_EQ(platform.registry.last_auth[0].registry(), "example.com");
  EXPECT_EQ(platform.registry.last_auth[0].password(), "p");
}

class DeletionTest : public testing::TestWithParam<Propagation> {};

TEST_P(DeletionTest, TakesEverythingAlong) {
  Platform platform;
  platform.Create(resource::kServices, ServiceObject());
  platform.Create(resource::kServices, ServiceObject("other"));
  platform.Settle();
  platform.Delete(kService, GetParam());
  platform.Settle();
  EXPECT_THAT(platform.All(),
              UnorderedElementsAre("services/other", "configurations/other", "routes/other",
                                   "revisions/other-00001", "core services/other"));
}

INSTANTIATE_TEST_SUITE_P(Propagations, DeletionTest,
                         testing::Values(Propagation::kBackground, Propagation::kForeground));

TEST(ConvergeTest, OrphanedChildrenStay) {
  Platform platform;
  platform.Create(resource::kServices, ServiceObject());
  platform.Settle();
  platform.Delete(kService, Propagation::kOrphan);
  platform.Settle();
  EXPECT_THAT(platform.All(), UnorderedElementsAre("configurations/hello", "routes/hello",
                                                   "revisions/hello-00001", "core services/hello"));
  EXPECT_FALSE(platform.Get(kConfiguration)["metadata"].contains("ownerReferences"));
}

TEST(ConvergeTest, DeletedAndAppliedAgainAtOnceItStartsAfresh) {
  Platform platform;
  platform.Create(resource::kServices, ServiceObject());
  platform.Settle();
  const std::string old_uid = api::UidOf(platform.Get(Revision("hello-00001")));
  platform.runtime.seen.clear();
  platform.Delete(kService, Propagation::kBackground);
  platform.Create(resource::kServices, ServiceObject());
  platform.Settle();
  EXPECT_EQ(ConditionText(platform.Get(kService)), kReady);
  EXPECT_NE(api::UidOf(platform.Get(Revision("hello-00001"))), old_uid);
  EXPECT_EQ(platform.All().size(), 5u);
}

TEST(ConvergeTest, ADeletedRevisionThatIsTheLatestIsMadeAgain) {
  Platform platform;
  platform.Create(resource::kServices, ServiceObject());
  platform.Settle();
  platform.runtime.seen.clear();
  platform.Delete(Revision("hello-00001"), Propagation::kBackground);
  platform.Settle();
  EXPECT_EQ(ConditionText(platform.Get(kService)), kReady);
  EXPECT_THAT(platform.All(), Contains("revisions/hello-00001"));
}

TEST(ConvergeTest, EveryNamespaceHasADefaultServiceAccount) {
  Platform platform;
  Json ns = Object("v1", "Namespace", "blue");
  ns["metadata"].erase("namespace");
  platform.Create(resource::kNamespaces, ns);
  platform.Settle();
  const ObjectKey account{resource::kServiceAccounts, "blue", "default"};
  const std::string first = api::UidOf(platform.Get(account));
  platform.Delete(account, Propagation::kBackground);
  platform.Settle();
  EXPECT_NE(api::UidOf(platform.Get(account)), first) << "made again";
}

TEST(ConvergeTest, ANamespaceTakesItsContentAlong) {
  Platform platform;
  Json ns = Object("v1", "Namespace", "default");
  ns["metadata"].erase("namespace");
  platform.Create(resource::kNamespaces, ns);
  platform.Create(resource::kServices, ServiceObject());
  platform.Settle();
  EXPECT_THAT(platform.EventReasons(), testing::Not(IsEmpty()));
  platform.Delete({resource::kNamespaces, "", "default"}, Propagation::kBackground);
  platform.Settle();
  EXPECT_THAT(platform.All(), IsEmpty());
  EXPECT_THAT(platform.EventReasons(), IsEmpty());
}

TEST(ConvergeTest, TrafficBetweenRevisionsWithTags) {
  Platform platform;
  platform.Create(resource::kServices, ServiceObject());
  platform.Settle();
  platform.Edit(kService, [](Json& service) {
    SetImage(service, "example.com/canary");
    service["spec"]["traffic"] = {{{"revisionName", "hello-00001"},
                                   {"latestRevision", false},
                                   {"percent", 90},
                                   {"tag", "stable"}},
                                  {{"latestRevision", true}, {"percent", 10}, {"tag", "canary"}}};
  });
  platform.Settle();
  const Json service = platform.Get(kService);
  EXPECT_EQ(ConditionText(service), kReady);
  EXPECT_EQ(service["status"]["traffic"][1]["url"], "http://canary-hello.default.localhost:8080");
  EXPECT_THAT(platform.All(),
              IsSupersetOf({"core services/stable-hello", "core services/canary-hello"}));
  EXPECT_EQ(api::LabelOf(platform.Get(Revision("hello-00001")), label::kRoutingState), "active");
}

TEST(ConvergeTest, LabelsOfTheServiceReachItsChildrenLater) {
  Platform platform;
  platform.Create(resource::kServices, ServiceObject());
  platform.Settle();
  platform.Edit(kService, [](Json& service) { api::SetLabel(service, "team", "blue"); });
  platform.Settle();
  EXPECT_EQ(api::LabelOf(platform.Get(kConfiguration), "team"), "blue");
  EXPECT_EQ(api::LabelOf(platform.Get(kRoute), "team"), "blue");
  EXPECT_EQ(api::LabelOf(platform.Get({resource::kCoreServices, "default", "hello"}), "team"),
            "blue");
  EXPECT_FALSE(api::HasLabel(platform.Get(Revision("hello-00001")), "team"));
  EXPECT_EQ(platform.All().size(), 5u) << "no new revision";
}

TEST(ConvergeTest, AServiceWaitsForAForeignConfigurationToGo) {
  Platform platform;
  Json foreign = ConfigurationObject();
  foreign["metadata"].erase("ownerReferences");
  platform.Create(resource::kConfigurations, foreign);
  platform.Create(resource::kServices, ServiceObject());
  platform.Settle();
  EXPECT_EQ(api::ConditionOf(platform.Get(kService), "Ready")->reason, "NotOwned");
  platform.runtime.seen.clear();
  platform.Delete(kConfiguration, Propagation::kBackground);
  platform.Settle();
  EXPECT_EQ(ConditionText(platform.Get(kService)), kReady);
}

TEST(ConvergeTest, OldRevisionsAreCollectedInTime) {
  Platform platform;
  platform.Create(resource::kServices, ServiceObject());
  platform.Settle();
  for (int i = 2; i <= 25; ++i) {
    platform.Edit(kService,
                  [i](Json& service) { SetImage(service, "example.com/v" + std::to_string(i)); });
    platform.Settle();
  }
  const auto revisions = [&platform] {
    return std::ranges::count_if(
        platform.All(), [](const std::string& key) { return key.starts_with("revisions/"); });
  };
  EXPECT_EQ(revisions(), 25);
  platform.Advance(std::chrono::hours(49));
  EXPECT_EQ(revisions(), 21) << "twenty in reserve and the one that serves";
  EXPECT_THAT(platform.All(), Contains("revisions/hello-00025"));
  EXPECT_THAT(platform.All(), testing::Not(Contains("revisions/hello-00004")));
}

TEST(ConvergeTest, AStoreThatRefusesWritesIsTriedAgain) {
  Platform platform;
  platform.Create(resource::kServices, ServiceObject());
  platform.store().refuse_every = 2;
  for (int i = 0; i < 20; ++i) {
    platform.Settle();
    platform.Advance(Seconds(30));
  }
  EXPECT_EQ(ConditionText(platform.Get(kService)), kReady);
  EXPECT_GT(platform.loop().counts().failures, 0u);
}

TEST(ConvergeTest, ADomainNameIsWhoseItIsClaimedFor) {
  Platform platform;
  platform.Create(resource::kServices, ServiceObject());
  Json mapping = Object("serving.knative.dev/v1beta1", "DomainMapping", "www.example.com");
  mapping["spec"]["ref"] = {
      {"apiVersion", kServingApiVersion}, {"kind", "Service"}, {"name", "hello"}};
  platform.Create(resource::kDomainMappings, mapping);
  const ObjectKey key{resource::kDomainMappings, "default", "www.example.com"};
  const ObjectKey claim_key{resource::kDomainClaims, "", "www.example.com"};
  const auto claimed = [&] {
    platform.Settle();
    return api::IsConditionTrue(platform.Get(key), "DomainClaimed");
  };
  EXPECT_FALSE(claimed());
  platform.Create(resource::kDomainClaims,
                  {{"metadata", {{"name", "www.example.com"}}}, {"spec", {{"namespace", "other"}}}});
  EXPECT_FALSE(claimed());
  platform.Edit(claim_key, [](Json& object) { object["spec"]["namespace"] = "default"; });
  EXPECT_TRUE(claimed());

  // Made as needed, a claim goes with its mapping; whoever waited for the name has it then.
  platform.Delete(claim_key, Propagation::kBackground);
  ServingConfig config = platform.loop().config();
  config.network.autocreate_cluster_domain_claims = true;
  platform.loop().SetConfig(config);
  EXPECT_TRUE(claimed());
  EXPECT_EQ(platform.Get(claim_key)["spec"]["namespace"], "default");
  Json rival = mapping;
  rival["metadata"]["namespace"] = "other";
  platform.Create(resource::kDomainMappings, rival);
  EXPECT_TRUE(claimed());
  platform.Delete(key, Propagation::kBackground);
  platform.Settle();
  EXPECT_EQ(platform.Get(claim_key)["spec"]["namespace"], "other");
  EXPECT_TRUE(api::IsConditionTrue(platform.Get({resource::kDomainMappings, "other", "www.example.com"}),
                                   "DomainClaimed"));
}

TEST(ConvergeTest, WhatIsDueWaitsInPeaceWhileTheDiskIsBusy) {
  Platform platform;
  for (int i = 0; i < 600; ++i)
    platform.Create(resource::kServices, ServiceObject("s" + std::to_string(i)));
  platform.Settle();
  Json broken = ServiceObject("broken");
  SetImage(broken, "example.com/broken");
  platform.registry.broken["example.com/broken"] = {Code::kUnavailable, "no route to host"};
  platform.Create(resource::kServices, broken);
  platform.Settle();

  platform.store().stuck = true;
  platform.loop().SetConfig({.domain = "example.org"});  // more writes than are carried out at once
  platform.SettleController();
  ASSERT_GT(platform.loop().counts().waiting, 0u);
  platform.SleepFor(std::chrono::minutes(5));  // the image was to be tried again by now
  EXPECT_FALSE(platform.AsksForWakeNow());
}

TEST(ConvergeTest, AThousandServicesTakeWorkInProportion) {
  Platform platform;
  for (int i = 0; i < 1000; ++i)
    platform.Create(resource::kServices, ServiceObject("s" + std::to_string(i)));
  platform.Settle();
  for (int i = 0; i < 1000; i += 100) {
    EXPECT_EQ(
        ConditionText(platform.Get({resource::kServices, "default", "s" + std::to_string(i)})),
        kReady);
  }
  EXPECT_LT(platform.loop().counts().passes, 50'000u);
  EXPECT_LT(platform.visited(), 10'000u) << "something goes through all to find one";
}

// The controller dies after any number of steps and comes back: the world ends up the same.
class RestartTest : public testing::TestWithParam<unsigned> {};

TEST_P(RestartTest, ConvergesWhateverItWasDoingWhenItDied) {
  std::mt19937 random(GetParam());
  Platform platform;
  platform.Create(resource::kServices, ServiceObject());
  platform.Create(resource::kServices, ServiceObject("doomed"));
  const auto live_dangerously = [&] {
    for (int i = 0; i < 12; ++i) {
      for (auto steps = random() % 12; steps > 0; --steps) platform.Step();
      if (random() % 3 == 0) platform.Settle();
      if (random() % 4 == 0) platform.StartController();
    }
  };
  live_dangerously();
  platform.Edit(kService, [](Json& service) { SetImage(service, "example.com/next"); });
  platform.Delete({resource::kServices, "default", "doomed"},
                  random() % 2 == 0 ? Propagation::kBackground : Propagation::kForeground);
  live_dangerously();
  platform.Settle();
  EXPECT_EQ(ConditionText(platform.Get(kService)), kReady);
  EXPECT_EQ(platform.Get(kService)["status"]["traffic"][0]["revisionName"], "hello-00002");
  EXPECT_THAT(platform.All(),
              testing::IsSubsetOf({"services/hello", "configurations/hello", "routes/hello",
                                   "revisions/hello-00001", "revisions/hello-00002",
                                   "core services/hello"}));
}

INSTANTIATE_TEST_SUITE_P(Seeds, RestartTest, testing::Range(0u, 100u));

}  // namespace
}  // namespace updraft::controller
