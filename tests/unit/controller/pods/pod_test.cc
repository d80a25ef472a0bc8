#include "controller/pods/pod.h"

#include <gtest/gtest.h>

#include "tests/unit/controller/instances/builders.h"

namespace updraft::controller {
namespace {

constexpr WallTime kNow = WallTime(std::chrono::seconds(1'700'000'000));  // 2023-11-14T22:13:20Z

Json RevisionJson() {
  return Json::parse(R"({
    "apiVersion": "serving.knative.dev/v1", "kind": "Revision",
    "metadata": {"name": "r", "namespace": "d", "uid": "uid-d/r"},
    "spec": {"containerConcurrency": 1, "timeoutSeconds": 300, "containers": [
      {"name": "user-container", "image": "registry.test/app",
       "env": [{"name": "S", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]}]},
    "status": {"containerStatuses": [{"name": "user-container", "imageDigest": "registry.test/app@sha256:1"}]}})");
}

Instance InstanceIn(v1::InstancePhase phase) {
  Instance instance;
  instance.id = "r-deployment-abc";
  instance.revision = "d/r";
  instance.node = "n1";
  instance.phase = phase;
  instance.created_wall = kNow - Seconds(5);
  const auto spec = SpecOf("d/r");
  auto own = std::make_shared<v1::InstanceSpec>(MakeInstanceSpec(*spec, instance.id, {}));
  (*own->mutable_labels())["serving.knative.dev/revision"] = "r";
  (*own->mutable_annotations())["kubectl.kubernetes.io/default-container"] = "user-container";
  instance.spec = std::move(own);
  instance.report = ReportOf(*instance.spec, phase);
  v1::ContainerReport& container = *instance.report.add_containers();
  container.set_name("user-container");
  container.set_image("registry.test/app");
  container.set_container_id("cid");
  container.set_started_at_ns(UnixNanos(kNow));
  container.set_running(phase == v1::INSTANCE_READY || phase == v1::INSTANCE_STARTING);
  container.set_ready(phase == v1::INSTANCE_READY);
  return instance;
}

Json Build(const Instance& instance, const Json* previous = nullptr, WallTime now = kNow) {
  const Json revision = RevisionJson();
  Node node;
  node.hello = HelloOf("n1");
  node.hello.set_internal_ip("10.0.0.7");
  return BuildPod(instance, {.revision = &revision, .previous = previous, .node = &node}, now);
}

const Json* Condition(const Json& object, const std::string& type) {
  for (const Json& condition : object["status"]["conditions"]) {
    if (condition["type"] == type) return &condition;
  }
  return nullptr;
}

TEST(BuildPod, IsOwnedByItsRevisionAndCarriesItsLabels) {
  const Json pod = Build(InstanceIn(v1::INSTANCE_READY));
  EXPECT_EQ(pod["metadata"]["name"], "r-deployment-abc");
  EXPECT_EQ(pod["metadata"]["namespace"], "d");
  EXPECT_EQ(pod["metadata"]["labels"]["serving.knative.dev/revision"], "r");
  EXPECT_EQ(pod["metadata"]["annotations"]["kubectl.kubernetes.io/default-container"],
            "user-container");
  EXPECT_EQ(pod["metadata"]["ownerReferences"][0]["kind"], "Revision");
  EXPECT_EQ(pod["metadata"]["ownerReferences"][0]["uid"], "uid-d/r");
  EXPECT_EQ(pod["metadata"]["creationTimestamp"], "2023-11-14T22:13:15Z");
  EXPECT_FALSE(pod["metadata"].contains("deletionTimestamp"));
}

TEST(BuildPod, TheSpecIsTheRevisionsWithPinnedImagesAndNoSecretsInIt) {
  const Json pod = Build(InstanceIn(v1::INSTANCE_READY));
  EXPECT_EQ(pod["spec"]["containers"][0]["name"], "user-container");
  EXPECT_EQ(pod["spec"]["containers"][0]["image"], "registry.test/app@sha256:1");
  EXPECT_TRUE(pod["spec"]["containers"][0]["env"][0].contains("valueFrom"));
  EXPECT_EQ(pod["spec"]["nodeName"], "n1");
  EXPECT_FALSE(pod["spec"].contains("containerConcurrency"));
}

TEST(BuildPod, AReadyOneIsRunningAndReady) {
  const Json pod = Build(InstanceIn(v1::INSTANCE_READY));
  EXPECT_EQ(pod["status"]["phase"], "Running");
  EXPECT_EQ((*Condition(pod, "Ready"))["status"], "True");
  EXPECT_EQ((*Condition(pod, "PodScheduled"))["status"], "True");
  EXPECT_EQ(pod["status"]["podIP"], "10.89.0.2");
  EXPECT_EQ(pod["status"]["hostIP"], "10.0.0.7");
  EXPECT_EQ(pod["status"]["containerStatuses"][0]["state"]["running"]["startedAt"],
            "2023-11-14T22:13:20Z");
  EXPECT_EQ(pod["status"]["containerStatuses"][0]["containerID"], "containerd://cid");
}

TEST(BuildPod, ACrashingOneWaitsAndSaysHowItEnded) {
  Instance instance = InstanceIn(v1::INSTANCE_BACKOFF);
  instance.report.mutable_failure()->set_reason("CrashLoopBackOff");
  instance.report.mutable_failure()->set_message("back-off 10s");
  v1::ContainerReport& container = *instance.report.mutable_containers(0);
  container.set_restart_count(2);
  container.mutable_last_termination()->set_exit_code(137);
  container.mutable_last_termination()->set_oom_killed(true);
  container.mutable_last_termination()->set_message("too much");
  const Json pod = Build(instance);
  EXPECT_EQ(pod["status"]["phase"], "Running");
  const Json& status = pod["status"]["containerStatuses"][0];
  EXPECT_EQ(status["restartCount"], 2);
  EXPECT_EQ(status["state"]["waiting"]["reason"], "CrashLoopBackOff");
  EXPECT_EQ(status["lastState"]["terminated"]["reason"], "OOMKilled");
  EXPECT_EQ(status["lastState"]["terminated"]["exitCode"], 137);
  EXPECT_EQ(status["lastState"]["terminated"]["message"], "too much");
  EXPECT_EQ((*Condition(pod, "Ready"))["reason"], "ContainersNotReady");
}

TEST(BuildPod, InitContainersHaveStatusesOfTheirOwn) {
  Instance instance = InstanceIn(v1::INSTANCE_PENDING);
  Json revision = RevisionJson();
  revision["spec"]["initContainers"] = {{{"name", "first"}, {"image", "registry.test/first"}}};
  const auto build = [&] { return BuildPod(instance, {.revision = &revision}, kNow)["status"]; };
  v1::ContainerReport& first = *instance.report.add_containers();
  first.set_name("first");
  first.set_running(true);
  Json status = build();
  ASSERT_EQ(status["containerStatuses"].size(), 1U);
  EXPECT_EQ(status["containerStatuses"][0]["state"]["waiting"]["reason"], "PodInitializing");
  EXPECT_TRUE(status["initContainerStatuses"][0]["state"].contains("running"));

  first.set_running(false);
  first.set_ready(true);
  first.mutable_last_termination();
  for (const v1::InstancePhase phase : {v1::INSTANCE_PENDING, v1::INSTANCE_BACKOFF}) {
    instance.phase = phase;
    status = build();
    EXPECT_EQ(status["initContainerStatuses"][0]["state"]["terminated"]["reason"], "Completed");
    EXPECT_EQ(status["initContainerStatuses"][0]["ready"], true);
  }
  EXPECT_EQ(status["containerStatuses"][0]["state"]["waiting"]["reason"], "ContainerCreating");

  instance.report.clear_containers();
  status = build();
  EXPECT_EQ(status["initContainerStatuses"][0]["name"], "first");
  EXPECT_EQ(status["containerStatuses"][0]["state"]["waiting"]["reason"], "PodInitializing");
}

TEST(BuildPod, OneWithoutANodeIsPendingAndSaysWhy) {
  Instance instance;
  instance.id = "r-deployment-abc";
  instance.revision = "d/r";
  instance.report.mutable_failure()->set_reason("Unschedulable");
  instance.report.mutable_failure()->set_message("0/1 nodes are available: 1 Insufficient cpu.");
  const Json pod = Build(instance);
  EXPECT_EQ(pod["status"]["phase"], "Pending");
  EXPECT_EQ((*Condition(pod, "PodScheduled"))["status"], "False");
  EXPECT_EQ((*Condition(pod, "PodScheduled"))["message"],
            "0/1 nodes are available: 1 Insufficient cpu.");
  EXPECT_FALSE(pod["spec"].contains("nodeName"));
  EXPECT_EQ((*Condition(pod, "PodScheduled"))["reason"], "Unschedulable");
  EXPECT_FALSE(pod["status"].contains("containerStatuses"));
  EXPECT_EQ(Condition(pod, "Ready"), nullptr);
  EXPECT_EQ(pod["metadata"]["labels"]["app"], "r");
}

TEST(BuildPod, AnImageThatCannotBePulledIsWhatItsContainerWaitsFor) {
  Instance instance = InstanceIn(v1::INSTANCE_PENDING);
  instance.report.mutable_failure()->set_reason("ImagePullBackOff");
  instance.report.mutable_failure()->set_message("no such tag");
  const Json pod = Build(instance);
  EXPECT_EQ(pod["status"]["phase"], "Pending");
  EXPECT_EQ(pod["status"]["containerStatuses"][0]["state"]["waiting"]["reason"],
            "ImagePullBackOff");
}

TEST(BuildPod, TransitionTimesMoveOnlyWithTheStatus) {
  const Json first = Build(InstanceIn(v1::INSTANCE_STARTING));
  const Json later = Build(InstanceIn(v1::INSTANCE_STARTING), &first, kNow + Seconds(10));
  EXPECT_EQ((*Condition(later, "Ready"))["lastTransitionTime"], "2023-11-14T22:13:20Z");
  const Json ready = Build(InstanceIn(v1::INSTANCE_READY), &later, kNow + Seconds(20));
  EXPECT_EQ((*Condition(ready, "Ready"))["lastTransitionTime"], "2023-11-14T22:13:40Z");
  EXPECT_EQ((*Condition(ready, "PodScheduled"))["lastTransitionTime"], "2023-11-14T22:13:20Z");
}

TEST(BuildPod, OneThatIsBeingStoppedIsTerminating) {
  Instance instance = InstanceIn(v1::INSTANCE_STOPPING);
  instance.intent = Intent::kDrain;  // its requests are to end first
  const Json pod = Build(instance);
  EXPECT_EQ(pod["metadata"]["deletionTimestamp"], "2023-11-14T22:13:20Z");
  const Json later = Build(instance, &pod, kNow + Seconds(9));
  EXPECT_EQ(later["metadata"]["deletionTimestamp"], "2023-11-14T22:13:20Z");
}

TEST(BuildPod, TheUidIsTheSameForEveryController) {
  EXPECT_EQ(PodUid("a"), PodUid("a"));
  EXPECT_NE(PodUid("a"), PodUid("b"));
  EXPECT_EQ(PodUid("a").size(), 36U);
}

TEST(BuildNode, ShowsTheMachine) {
  Node node;
  node.hello = HelloOf("n1", 2000);
  node.hello.set_architecture("amd64");
  node.hello.set_internal_ip("10.0.0.7");
  node.hello.set_containerd_version("1.6.20");
  node.health = NodeHealth::kConnected;
  node.joined_wall = kNow;
  node.status.add_images("registry.test/app");
  const Json json = BuildNode(node, nullptr, kNow);
  EXPECT_EQ(json["status"]["capacity"]["cpu"], "2000m");
  EXPECT_EQ(json["status"]["capacity"]["pods"], "100");
  EXPECT_EQ(json["status"]["nodeInfo"]["containerRuntimeVersion"], "containerd://1.6.20");
  EXPECT_EQ(json["metadata"]["labels"]["kubernetes.io/arch"], "amd64");
  EXPECT_EQ((*Condition(json, "Ready"))["status"], "True");
  node.health = NodeHealth::kSilent;
  const Json silent = BuildNode(node, &json, kNow + Seconds(50));
  EXPECT_EQ((*Condition(silent, "Ready"))["status"], "False");
}

TEST(BuildNode, KeepsWhatUsersWrote) {
  Node node;
  node.hello = HelloOf("n1");
  Json shown = BuildNode(node, nullptr, kNow);
  shown["spec"]["unschedulable"] = true;
  shown["metadata"]["labels"]["mine"] = "1";
  const Json again = BuildNode(node, &shown, kNow + Seconds(1));
  EXPECT_EQ(again["spec"]["unschedulable"], true);
  EXPECT_EQ(again["metadata"]["labels"]["mine"], "1");
}

}  // namespace
}  // namespace updraft::controller
