#include "controller/reconcile/revision.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/controller/reconcile/builders.h"

namespace updraft::controller {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr char kImage[] = "example.com/hello";
constexpr char kKey[] = "revisions/hello-00001";

ReconcilePlan Reconcile(const RevisionInputs& in) {
  return ReconcileRevision(in, ServingConfig{}, kNow);
}

Json Resolved(Json revision = RevisionObject()) {
  revision["status"]["containerStatuses"] = {
      {{"name", "user-container"}, {"imageDigest", "example.com/hello@sha256:abc"}}};
  return revision;
}
Json Initialized(Json revision = Resolved()) {
  revision["status"]["annotations"]["updraft.dev/initialized"] = "true";
  return revision;
}

TEST(RevisionTest, ANewRevisionAsksForItsDigests) {
  const ReconcilePlan plan = Reconcile({.revision = Share(RevisionObject())});
  EXPECT_THAT(ImagesToResolve(plan), ElementsAre(kImage));
  EXPECT_THAT(Writes(plan), ElementsAre("update revisions/hello-00001"));
  EXPECT_EQ(ConditionText(Written(plan, kKey)),
            "ContainerHealthy=Unknown Ready=Unknown(ResolvingDigests) "
            "ResourcesAvailable=Unknown(ResolvingDigests)");
}

TEST(RevisionTest, EachImageIsAskedForOnceAndNotWhileItIsUnderWay) {
  Json revision = RevisionObject();
  revision["spec"]["containers"] = {{{"name", "a"}, {"image", "x.io/one"}},
                                    {{"name", "b"}, {"image", "x.io/one"}},
                                    {{"name", "c"}, {"image", "x.io/two"}}};
  revision["spec"]["initContainers"] = {{{"name", "i"}, {"image", "x.io/three"}}};
  const ReconcilePlan plan =
      Reconcile({.revision = Share(revision), .images = {{"x.io/two", {.under_way = true}}}});
  EXPECT_THAT(ImagesToResolve(plan), ElementsAre("x.io/three", "x.io/one"));
}

TEST(RevisionTest, DigestsGoToTheStatus) {
  const ReconcilePlan plan =
      Reconcile({.revision = Share(RevisionObject()),
                 .images = {{kImage, {.outcome = Result<std::string>("sha256:abc")}}}});
  const Json written = Written(plan, kKey);
  EXPECT_EQ(written["status"]["containerStatuses"],
            (Json{{{"name", "user-container"}, {"imageDigest", "example.com/hello@sha256:abc"}}}));
  EXPECT_EQ(
      ConditionText(written),
      "Active=Unknown(Deploying) ContainerHealthy=Unknown(Deploying) Ready=Unknown(Deploying) "
      "ResourcesAvailable=Unknown(Deploying)");
  EXPECT_TRUE(HasDigests(written));
}

struct KnownDigestCase {
  std::string name;
  std::string image;
  std::optional<std::string> want;
};
class KnownDigestTest : public testing::TestWithParam<KnownDigestCase> {};

TEST_P(KnownDigestTest, NeedsNoQuestion) {
  Json revision = RevisionObject();
  revision["spec"]["containers"][0]["image"] = GetParam().image;
  const ReconcilePlan plan = Reconcile({.revision = Share(revision)});
  EXPECT_THAT(ImagesToResolve(plan), IsEmpty());
  const Json status = Written(plan, kKey)["status"]["containerStatuses"][0];
  EXPECT_EQ(api::StringAt(status, {"imageDigest"}), *GetParam().want);
}

INSTANTIATE_TEST_SUITE_P(Table, KnownDigestTest,
                         testing::ValuesIn(std::vector<KnownDigestCase>{
                             {"ADigestAlready", "example.com/hello@sha256:" + std::string(64, 'a'),
                              "example.com/hello@sha256:" + std::string(64, 'a')},
                             {"ARegistryThatIsSkipped", "kind.local/hello:latest", ""},
                         }),
                         [](const auto& test) { return test.param.name; });

TEST(RevisionTest, AFailureToResolveIsToldInWordsAndTriedAgain) {
  const Error error{Code::kUnauthenticated, "GET https://example.com/v2/: 401 Unauthorized"};
  const ImageResolution failed{.outcome = Result<std::string>(error),
                               .retry_at = kNow + Seconds(4)};
  const ReconcilePlan plan =
      Reconcile({.revision = Share(RevisionObject()), .images = {{kImage, failed}}});
  const Json written = Written(plan, kKey);
  EXPECT_EQ(api::ConditionOf(written, "Ready")->reason, "ContainerMissing");
  EXPECT_EQ(MessageOf(written, "ContainerHealthy"),
            "Unable to fetch image \"example.com/hello\": failed to resolve image to digest: "
            "GET https://example.com/v2/: 401 Unauthorized");
  EXPECT_THAT(ImagesToResolve(plan), IsEmpty());
  EXPECT_EQ(plan.wake_at, kNow + Seconds(4));

  // When the time has come it is asked for again, and what is known stays told meanwhile.
  const ImageResolution due{.outcome = Result<std::string>(error), .retry_at = kNow};
  const ReconcilePlan retry = Reconcile({.revision = Share(written), .images = {{kImage, due}}});
  EXPECT_THAT(ImagesToResolve(retry), ElementsAre(kImage));
  EXPECT_THAT(Writes(retry), IsEmpty());

  const ReconcilePlan recovered =
      Reconcile({.revision = Share(written),
                 .images = {{kImage, {.outcome = Result<std::string>("sha256:abc")}}}});
  EXPECT_EQ(api::ConditionOf(Written(recovered, kKey), "ContainerHealthy")->reason, "Deploying");
}

TEST(RevisionTest, AFailureThatMayPassIsForgivenTwice) {
  const auto failed = [](Code code, int failures) {
    const Error error{code, "no node-agent is connected"};
    const ImageResolution resolution{
        .outcome = Result<std::string>(error), .retry_at = kNow + Seconds(4), .failures = failures};
    const ReconcilePlan plan =
        Reconcile({.revision = Share(RevisionObject()), .images = {{kImage, resolution}}});
    EXPECT_EQ(plan.wake_at, kNow + Seconds(4));
    return Written(plan, kKey);
  };
  const Json forgiven = failed(Code::kUnavailable, 2);
  EXPECT_EQ(ConditionText(forgiven),
            "ContainerHealthy=Unknown Ready=Unknown(ResolvingDigests) "
            "ResourcesAvailable=Unknown(ResolvingDigests)");
  EXPECT_EQ(MessageOf(forgiven, "Ready"), "no node-agent is connected");
  for (const Json& told : {failed(Code::kUnavailable, 3), failed(Code::kNotFound, 1)}) {
    EXPECT_EQ(api::ConditionOf(told, "Ready")->reason, "ContainerMissing");
  }
}

struct ConditionCase {
  std::string name;
  Json revision;
  RevisionObserved observed;
  std::string want;  // all conditions after the pass
};
class RevisionConditionTest : public testing::TestWithParam<ConditionCase> {};

TEST_P(RevisionConditionTest, Follow) {
  const ConditionCase& c = GetParam();
  const ReconcilePlan plan = Reconcile({.revision = Share(c.revision), .observed = c.observed});
  const Json written = Written(plan, kKey);
  EXPECT_EQ(ConditionText(written == nullptr ? c.revision : written), c.want);
  const Json stored = written == nullptr ? c.revision : written;
  EXPECT_THAT(Writes(Reconcile({.revision = Share(stored), .observed = c.observed})), IsEmpty())
      << "a second look finds nothing to do";
}

RevisionObserved Seen(int ready, Activity activity, bool initialized = false,
                      std::optional<RevisionObserved::Failure> failure = std::nullopt) {
  return {.known = true,
          .ready = ready,
          .activity = activity,
          .initialized = initialized,
          .failure = failure};
}

const RevisionObserved::Failure kCrash{"ExitCode1", "no such file"};
const RevisionObserved::Failure kPull{"ImagePullBackOff", "manifest unknown"};
const RevisionObserved::Failure kNoRoom{"Unschedulable", "no node has 8 cpus"};

Json Crashed() { return WithCondition(Resolved(), "ContainerHealthy", "False", "ExitCode1", "x"); }
Json GaveUp() {
  return WithCondition(Resolved(), "ResourcesAvailable", "False", "ProgressDeadlineExceeded", "x");
}

INSTANTIATE_TEST_SUITE_P(
    Table, RevisionConditionTest,
    testing::ValuesIn(std::vector<ConditionCase>{
        {"Starting", Resolved(), Seen(0, Activity::kActivating),
         "Active=Unknown(Queued) ContainerHealthy=Unknown(Deploying) Ready=Unknown(Deploying) "
         "ResourcesAvailable=Unknown(Deploying)"},
        {"ReadyInstancesAloneAreNotEnough", Resolved(), Seen(1, Activity::kActivating),
         "Active=Unknown(Queued) ContainerHealthy=Unknown(Deploying) Ready=Unknown(Deploying) "
         "ResourcesAvailable=Unknown(Deploying)"},
        {"InitialScaleReached", Resolved(), Seen(1, Activity::kActive, true),
         "Active=True ContainerHealthy=True Ready=True ResourcesAvailable=True"},
        {"AtZeroItIsReady", Initialized(), Seen(0, Activity::kInactive),
         "Active=False(NoTraffic) ContainerHealthy=True Ready=True ResourcesAvailable=True"},
        {"CrashedBeforeItWasReady", Resolved(), Seen(0, Activity::kActivating, false, kCrash),
         "Active=Unknown(Queued) ContainerHealthy=False(ExitCode1) Ready=False(ExitCode1) "
         "ResourcesAvailable=Unknown(Deploying)"},
        {"ACrashStaysToldDuringTheNextTry", Crashed(), Seen(0, Activity::kActivating),
         "Active=Unknown(Queued) ContainerHealthy=False(ExitCode1) Ready=False(ExitCode1) "
         "ResourcesAvailable=Unknown(Deploying)"},
        {"ACrashIsForgottenOnceItIsInitialized", Crashed(), Seen(1, Activity::kActive, true),
         "Active=True ContainerHealthy=True Ready=True ResourcesAvailable=True"},
        {"OneCrashBesideReadyInstancesIsNoFailureYet", Resolved(),
         Seen(2, Activity::kActivating, false, kCrash),
         "Active=Unknown(Queued) ContainerHealthy=Unknown(Deploying) Ready=Unknown(Deploying) "
         "ResourcesAvailable=Unknown(Deploying)"},
        {"ImageFailure", Resolved(), Seen(0, Activity::kActivating, false, kPull),
         "Active=Unknown(Queued) ContainerHealthy=Unknown(Deploying) Ready=False(ImagePullBackOff) "
         "ResourcesAvailable=False(ImagePullBackOff)"},
        {"NoRoom", Resolved(), Seen(0, Activity::kActivating, false, kNoRoom),
         "Active=Unknown(Queued) ContainerHealthy=Unknown(Deploying) Ready=False(Unschedulable) "
         "ResourcesAvailable=False(Unschedulable)"},
        {"GaveUpWithoutReason", Resolved(), Seen(0, Activity::kTimedOut),
         "Active=False(TimedOut) ContainerHealthy=Unknown(Deploying) "
         "Ready=False(ProgressDeadlineExceeded) "
         "ResourcesAvailable=False(ProgressDeadlineExceeded)"},
        {"GaveUpAfterACrashTellsTheCrash", Crashed(), Seen(0, Activity::kTimedOut),
         "Active=False(TimedOut) ContainerHealthy=False(ExitCode1) Ready=False(ExitCode1) "
         "ResourcesAvailable=Unknown(Deploying)"},
        {"HavingGivenUpStaysTold", GaveUp(), Seen(0, Activity::kInactive),
         "Active=False(NoTraffic) ContainerHealthy=Unknown(Deploying) "
         "Ready=False(ProgressDeadlineExceeded) "
         "ResourcesAvailable=False(ProgressDeadlineExceeded)"},
        {"AFailureAtALaterActivationShows", Initialized(),
         Seen(0, Activity::kActivating, true, kPull),
         "Active=Unknown(Queued) ContainerHealthy=True Ready=False(ImagePullBackOff) "
         "ResourcesAvailable=False(ImagePullBackOff)"},
        {"WhatALaterActivationFailedOfStaysToldAtZero", Initialized(),
         Seen(0, Activity::kTimedOut, true, kPull),
         "Active=False(TimedOut) ContainerHealthy=True Ready=False(ImagePullBackOff) "
         "ResourcesAvailable=False(ImagePullBackOff)"},
        {"OneCrashBesideAReadyInstanceIsNoFailure", Initialized(),
         Seen(1, Activity::kActive, true, kCrash),
         "Active=True ContainerHealthy=True Ready=True ResourcesAvailable=True"},
        {"OutOfMemoryIsACrash", Resolved(),
         Seen(0, Activity::kActivating, false, RevisionObserved::Failure{"OOMKilled", "x"}),
         "Active=Unknown(Queued) ContainerHealthy=False(OOMKilled) Ready=False(OOMKilled) "
         "ResourcesAvailable=Unknown(Deploying)"},
    }),
    [](const auto& test) { return test.param.name; });

TEST(RevisionTest, ARestartedControllerThatKnowsNothingLeavesAReadyRevisionAlone) {
  const Json ready = Written(
      Reconcile({.revision = Share(Resolved()), .observed = Seen(2, Activity::kActive, true)}),
      kKey);
  EXPECT_EQ(Reconcile({.revision = Share(ready), .observed = {}}), ReconcilePlan{});
  EXPECT_EQ(Reconcile({.revision = Share(ready),
                       .observed = {.known = false, .ready = 0, .failure = kCrash}}),
            ReconcilePlan{});
}

TEST(RevisionTest, MessagesAreKnatives) {
  const auto message = [](const std::string& type, RevisionObserved observed) {
    return MessageOf(
        Written(Reconcile({.revision = Share(Resolved()), .observed = observed}), kKey), type);
  };
  EXPECT_EQ(message("Active", Seen(0, Activity::kActivating)),
            "Requests to the target are being buffered as resources are provisioned.");
  EXPECT_EQ(message("Active", Seen(0, Activity::kInactive)),
            "The target is not receiving traffic.");
  EXPECT_EQ(message("Active", Seen(0, Activity::kTimedOut)), "The target could not be activated.");
  EXPECT_EQ(message("ResourcesAvailable", Seen(0, Activity::kTimedOut)),
            "Initial scale was never achieved");
  EXPECT_EQ(message("ContainerHealthy", Seen(0, Activity::kActivating, false, kCrash)),
            "Container failed with: no such file");
  EXPECT_EQ(message("ContainerHealthy", Seen(0, Activity::kActivating, false,
                                             RevisionObserved::Failure{"ExitCode0", ""})),
            "Container failed with: container exited with no error");
  EXPECT_EQ(message("ResourcesAvailable", Seen(0, Activity::kActivating, false, kPull)),
            "manifest unknown");
}

TEST(RevisionTest, ItBecomesReadyWithAnEventAndShowsItsReplicas) {
  RevisionObserved observed = Seen(3, Activity::kActive, true);
  observed.desired = 4;
  const ReconcilePlan plan = Reconcile({.revision = Share(Resolved()), .observed = observed});
  EXPECT_THAT(Events(plan),
              ElementsAre("RevisionReady: Revision becomes ready upon all resources being ready"));
  const Json written = Written(plan, kKey);
  EXPECT_EQ(written["status"]["actualReplicas"], 3);
  EXPECT_EQ(written["status"]["desiredReplicas"], 4);
  EXPECT_TRUE(WasInitialized(written));
}

TEST(RevisionTest, ThatItWasInitializedOutlivesALaterFailure) {
  const Json failing = Written(Reconcile({.revision = Share(Initialized()),
                                          .observed = Seen(0, Activity::kActivating, true, kPull)}),
                               kKey);
  EXPECT_TRUE(WasInitialized(failing));
  const Json at_rest = Written(
      Reconcile({.revision = Share(failing), .observed = Seen(0, Activity::kInactive)}), kKey);
  EXPECT_EQ(ConditionText(at_rest),
            "Active=False(NoTraffic) ContainerHealthy=True Ready=True ResourcesAvailable=True");
}

TEST(RevisionTest, WhereNodesComeWithTheLoadMissingRoomIsNoFailure) {
  ServingConfig config;
  config.deployment.pod_is_always_schedulable = true;
  const RevisionInputs in{.revision = Share(Resolved()),
                          .observed = Seen(0, Activity::kActivating, false, kNoRoom)};
  EXPECT_EQ(ConditionText(Written(ReconcileRevision(in, config, kNow), kKey)),
            "Active=Unknown(Queued) ContainerHealthy=Unknown(Deploying) Ready=Unknown(Deploying) "
            "ResourcesAvailable=Unknown(Deploying)");
}

TEST(RevisionTest, TheLogUrlIsMadeFromTheTemplate) {
  ServingConfig config;
  config.revision_url_template = "http://logs/?a=${REVISION_UID}&b=${REVISION_UID}";
  Json revision = Initialized();
  revision["metadata"]["uid"] = "u-1";
  const RevisionInputs in{.revision = Share(revision),
                          .observed = Seen(1, Activity::kActive, true)};
  const Json written = Written(ReconcileRevision(in, config, kNow), kKey);
  EXPECT_EQ(written["status"]["logUrl"], "http://logs/?a=u-1&b=u-1");
  const RevisionInputs again{.revision = Share(written), .observed = in.observed};
  EXPECT_FALSE(Written(Reconcile(again), kKey)["status"].contains("logUrl"));
}

TEST(RevisionTest, RegistriesOfTheConfigurationKeepTheirTags) {
  ServingConfig config;
  config.deployment.registries_skipping_tag_resolving = {"example.com"};
  Json revision = RevisionObject();
  revision["spec"]["containers"][0]["image"] = kImage;
  const ReconcilePlan plan = ReconcileRevision({.revision = Share(revision)}, config, kNow);
  EXPECT_FALSE(Written(plan, kKey)["status"]["containerStatuses"][0].contains("imageDigest"));
}

}  // namespace
}  // namespace updraft::controller
