#include "controller/instances/revision_spec.h"

#include <gtest/gtest.h>

#include "controller/instances/instance_name.h"
#include "proto/updraft/v1/node_marks.h"

namespace updraft::controller {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

Json RevisionJson() {
  return Json::parse(R"json({
    "apiVersion": "serving.knative.dev/v1", "kind": "Revision",
    "metadata": {"name": "hello-00001", "namespace": "default", "uid": "u1",
      "creationTimestamp": "2026-01-02T03:04:05Z",
      "labels": {"serving.knative.dev/service": "hello", "serving.knative.dev/configuration": "hello",
                 "serving.knative.dev/routingState": "active", "team": "a"},
      "annotations": {"autoscaling.knative.dev/min-scale": "2", "serving.knative.dev/routes": "hello"}},
    "spec": {"containerConcurrency": 10, "timeoutSeconds": 60,
      "containers": [{"name": "user-container", "image": "reg.test/app:1", "command": ["/a", "$(K_SERVICE)"],
        "ports": [{"name": "h2c", "containerPort": 9000}],
        "env": [{"name": "X", "value": "y"}],
        "resources": {"limits": {"cpu": "1", "memory": "128Mi"}, "requests": {"cpu": "125m"}},
        "securityContext": {"runAsUser": 2020, "capabilities": {"drop": ["ALL"]}},
        "readinessProbe": {"httpGet": {"path": "/ok"}, "periodSeconds": 0, "successThreshold": 1},
        "livenessProbe": {"tcpSocket": {"port": 9000}, "initialDelaySeconds": 3}}]},
    "status": {"containerStatuses": [{"name": "user-container", "imageDigest": "reg.test/app@sha256:abc"}]}
  })json");
}

RevisionSpec Read(const Json& revision, const NamedObjects& named = {}) {
  auto spec = ReadRevision(revision, named);
  EXPECT_TRUE(spec);
  return spec ? std::move(*spec) : RevisionSpec();
}

std::string EnvOf(const v1::Container& container, const std::string& name) {
  for (const v1::EnvVar& variable : container.env()) {
    if (variable.name() == name) return variable.value();
  }
  return "(unset)";
}

TEST(ReadRevision, NamesAndRequestHandling) {
  const RevisionSpec spec = Read(RevisionJson());
  EXPECT_EQ(spec.key, "default/hello-00001");
  EXPECT_EQ(spec.routing.container_concurrency(), 10U);
  EXPECT_EQ(spec.routing.timeout_ns(), 60 * kSecond);
  EXPECT_EQ(spec.routing.response_start_timeout_ns(), 0);
  EXPECT_EQ(spec.routing.protocol(), v1::APP_PROTOCOL_H2C);
  EXPECT_EQ(spec.instance.termination_grace_ns(), 60 * kSecond);
  EXPECT_EQ(spec.instance.progress_deadline_ns(), 600 * kSecond);
  EXPECT_EQ(spec.reachability, v1::REACHABLE);
  EXPECT_EQ(spec.scaling_annotations.at("autoscaling.knative.dev/min-scale"), "2");
  EXPECT_EQ(spec.scaling_annotations.size(), 1U);
  EXPECT_TRUE(spec.resolved);
}

TEST(ReadRevision, TheContainerRunsByTheRuntimeContract) {
  const RevisionSpec spec = Read(RevisionJson());
  const v1::Container& container = spec.instance.containers(0);
  EXPECT_EQ(container.image_digest(), "sha256:abc");
  EXPECT_EQ(EnvOf(container, "PORT"), "9000");
  EXPECT_EQ(EnvOf(container, "K_SERVICE"), "hello");
  EXPECT_EQ(EnvOf(container, "K_CONFIGURATION"), "hello");
  EXPECT_EQ(EnvOf(container, "K_REVISION"), "hello-00001");
  EXPECT_EQ(EnvOf(container, "X"), "y");
  EXPECT_EQ(container.command(1), "hello");
  EXPECT_EQ(container.resources().cpu_limit_millis(), 1000);
  EXPECT_EQ(container.resources().cpu_request_millis(), 125);
  EXPECT_EQ(container.resources().memory_limit_bytes(), 128 << 20);
  EXPECT_EQ(container.resources().memory_request_bytes(), 128 << 20);  // as limited
  EXPECT_EQ(container.security().run_as_user(), 2020);
  EXPECT_FALSE(container.security().has_run_as_group());
  EXPECT_EQ(container.security().drop_capabilities(0), "ALL");
  EXPECT_TRUE(container.termination_message_from_log());
}

TEST(ReadRevision, Probes) {
  const RevisionSpec spec = Read(RevisionJson());
  const v1::Container& container = spec.instance.containers(0);
  EXPECT_EQ(container.readiness_probe().http().port(), 9000U);
  EXPECT_EQ(container.readiness_probe().period_ns(), 0);
  EXPECT_EQ(container.readiness_probe().failure_threshold(), 0);
  EXPECT_EQ(container.liveness_probe().period_ns(), 10 * kSecond);
  EXPECT_EQ(container.liveness_probe().timeout_ns(), kSecond);
  EXPECT_EQ(container.liveness_probe().failure_threshold(), 3);
  EXPECT_EQ(container.liveness_probe().initial_delay_ns(), 3 * kSecond);
  EXPECT_FALSE(container.has_startup_probe());
}

TEST(ReadRevision, WithoutAProbeThePortIsWatchedAggressively) {
  Json revision = RevisionJson();
  revision["spec"]["containers"][0].erase("readinessProbe");
  revision["spec"]["containers"][0].erase("ports");
  const RevisionSpec spec = Read(revision);
  EXPECT_EQ(spec.instance.port(), 8080U);
  const v1::Probe& probe = spec.instance.containers(0).readiness_probe();
  EXPECT_TRUE(probe.has_tcp());
  EXPECT_EQ(probe.tcp().port(), 0U);
  EXPECT_EQ(probe.period_ns(), 0);
  EXPECT_EQ(probe.success_threshold(), 1);
}

TEST(ReadRevision, AReadinessProbeWithoutAPeriodIsTheAggressiveOne) {
  Json revision = RevisionJson();
  // What the API's defaults make of a container that has no probe.
  revision["spec"]["containers"][0]["readinessProbe"] =
      Json::parse(R"({"successThreshold": 1, "tcpSocket": {"port": 0}})");
  const RevisionSpec defaulted = Read(revision);
  EXPECT_EQ(defaulted.instance.containers(0).readiness_probe().period_ns(), 0);
  EXPECT_EQ(defaulted.instance.containers(0).readiness_probe().timeout_ns(), 0);
  revision["spec"]["containers"][0]["readinessProbe"] = Json::parse(
      R"({"periodSeconds": 2, "failureThreshold": 5, "timeoutSeconds": 3, "exec": {"command": ["ok"]}})");
  const RevisionSpec asked = Read(revision);
  const v1::Probe& probe = asked.instance.containers(0).readiness_probe();
  EXPECT_EQ(probe.period_ns(), 2 * kSecond);
  EXPECT_EQ(probe.timeout_ns(), 3 * kSecond);
  EXPECT_EQ(probe.failure_threshold(), 5);
  EXPECT_EQ(probe.exec().command(0), "ok");
}

TEST(ReadRevision, LabelsOfInstancesAreThoseOfTheRevisionButItsState) {
  const RevisionSpec spec = Read(RevisionJson());
  const auto& labels = spec.instance.labels();
  EXPECT_EQ(labels.at("team"), "a");
  EXPECT_EQ(labels.at("app"), "hello-00001");
  EXPECT_EQ(labels.at("serving.knative.dev/revision"), "hello-00001");
  EXPECT_EQ(labels.at("serving.knative.dev/revisionUID"), "u1");
  EXPECT_FALSE(labels.contains("serving.knative.dev/routingState"));
  EXPECT_FALSE(spec.instance.annotations().contains("serving.knative.dev/routes"));
  EXPECT_EQ(spec.instance.annotations().at("kubectl.kubernetes.io/default-container"),
            "user-container");
}

TEST(ReadRevision, IsUnresolvedUntilEveryContainerHasItsStatus) {
  Json revision = RevisionJson();
  revision["spec"]["containers"].push_back({{"name", "sidecar"}, {"image", "reg.test/side"}});
  EXPECT_FALSE(Read(revision).resolved);
  revision["status"]["containerStatuses"].push_back({{"name", "sidecar"}, {"imageDigest", ""}});
  const RevisionSpec spec = Read(revision);
  EXPECT_TRUE(spec.resolved);
  EXPECT_EQ(spec.instance.containers(1).image_digest(), "");
  EXPECT_EQ(EnvOf(spec.instance.containers(1), "PORT"), "(unset)");
  EXPECT_EQ(EnvOf(spec.instance.containers(1), "K_REVISION"), "hello-00001");
  EXPECT_EQ(spec.instance.serving_container(), "user-container");
}

TEST(ReadRevision, VolumesBringTheirContent) {
  Json revision = RevisionJson();
  revision["spec"]["volumes"] = Json::parse(R"([
    {"name": "s", "secret": {"secretName": "sec", "items": [{"key": "k", "path": "sub/k", "mode": 256}]}},
    {"name": "p", "projected": {"sources": [{"configMap": {"name": "cm"}}]}},
    {"name": "e", "emptyDir": {"medium": "Memory", "sizeLimit": "1Mi"}}])");
  NamedObjects named;
  named.secret = [](std::string_view) {
    return std::make_shared<const Json>(Json{{"data", {{"k", "dg=="}}}});
  };
  named.config_map = [](std::string_view) {
    return std::make_shared<const Json>(Json{{"data", {{"c", "text"}}}});
  };
  const RevisionSpec spec = Read(revision, named);
  ASSERT_FALSE(spec.config_error) << spec.config_error->message();
  ASSERT_EQ(spec.instance.files_size(), 2);
  EXPECT_EQ(spec.instance.files(0).path(), "sub/k");
  EXPECT_EQ(spec.instance.files(0).content(), "v");
  EXPECT_EQ(spec.instance.files(0).mode(), 0400U);
  EXPECT_EQ(spec.instance.files(1).content(), "text");
  EXPECT_EQ(spec.instance.files(1).mode(), 0644U);
  EXPECT_TRUE(spec.instance.empty_dirs(0).memory());
  EXPECT_EQ(spec.instance.empty_dirs(0).size_limit_bytes(), 1 << 20);
}

TEST(ReadRevision, AVolumeOfNothingButOptionalObjectsIsEmpty) {
  Json revision = RevisionJson();
  revision["spec"]["volumes"] = Json::parse(R"([
    {"name": "a", "configMap": {"name": "gone", "optional": true}},
    {"name": "b", "secret": {"secretName": "gone", "optional": true}},
    {"name": "c", "projected": {"sources": [{"configMap": {"name": "gone", "optional": true}}]}}])");
  const RevisionSpec spec = Read(revision);
  ASSERT_FALSE(spec.config_error) << spec.config_error->message();
  ASSERT_EQ(spec.instance.empty_dirs_size(), 3);
  EXPECT_EQ(spec.instance.empty_dirs(2).volume(), "c");
}

TEST(ReadRevision, AClaimIsADirectoryOfItsOwn) {
  Json revision = RevisionJson();
  revision["spec"]["volumes"] = Json::parse(
      R"([{"name": "v", "persistentVolumeClaim": {"claimName": "data", "readOnly": true}}])");
  NamedObjects named;
  EXPECT_EQ(Read(revision, named).config_error->message(),
            "volume \"v\": persistentvolumeclaim \"data\" not found");
  Json claim = {{"metadata", {{"name", "data"}, {"uid", "u1"}}},
                {"status", {{"phase", "Pending"}}}};
  named.claim = [&claim](std::string_view name) {
    return name == "data" ? std::make_shared<const Json>(claim) : nullptr;
  };
  EXPECT_EQ(Read(revision, named).config_error->message(),
            "volume \"v\": persistentvolumeclaim \"data\" is not bound");
  claim["status"]["phase"] = "Bound";
  const RevisionSpec spec = Read(revision, named);
  ASSERT_FALSE(spec.config_error) << spec.config_error->message();
  ASSERT_EQ(spec.instance.claims_size(), 1);
  EXPECT_EQ(spec.instance.empty_dirs_size(), 0);
  EXPECT_EQ(spec.instance.claims(0).volume(), "v");
  EXPECT_EQ(spec.instance.claims(0).directory(), "pvc-u1");
  EXPECT_TRUE(spec.instance.claims(0).read_only());
  claim["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z";
  EXPECT_EQ(Read(revision, named).config_error->message(),
            "volume \"v\": persistentvolumeclaim \"data\" is being deleted");
}

TEST(ReadRevision, InstancesAreToldOfThemselves) {
  Json revision = RevisionJson();
  Json& container = revision["spec"]["containers"][0];
  container["args"] = {"--name=$(NAME)"};
  container["env"] = Json::parse(R"json([
    {"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
    {"name": "UID", "valueFrom": {"fieldRef": {"fieldPath": "metadata.uid"}}},
    {"name": "TEAM", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['team']"}}},
    {"name": "ACCOUNT", "valueFrom": {"fieldRef": {"fieldPath": "spec.serviceAccountName"}}},
    {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "requests.cpu", "divisor": "1m"}}},
    {"name": "MEMORY", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory", "divisor": "1Mi"}}}])json");
  revision["spec"]["volumes"] = Json::parse(R"([{"name": "me", "projected": {"sources": [
    {"downwardAPI": {"items": [
      {"path": "namespace", "fieldRef": {"fieldPath": "metadata.namespace"}},
      {"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}},
      {"path": "cores", "resourceFieldRef": {"containerName": "user-container", "resource": "limits.cpu"}}]}},
    {"serviceAccountToken": {"path": "token", "audience": "api"}}]}}])");
  const RevisionSpec spec = Read(revision);
  ASSERT_FALSE(spec.config_error) << spec.config_error->message();
  const v1::InstanceSpec one = MakeInstanceSpec(spec, "hello-00001-deployment-a", {});
  const v1::InstanceSpec other = MakeInstanceSpec(spec, "hello-00001-deployment-b", {});
  EXPECT_EQ(EnvOf(one.containers(0), "NAME"), "hello-00001-deployment-a");
  EXPECT_EQ(EnvOf(other.containers(0), "NAME"), "hello-00001-deployment-b");
  EXPECT_EQ(one.containers(0).args(0), "--name=hello-00001-deployment-a");
  EXPECT_EQ(EnvOf(one.containers(0), "UID"), PodUid("hello-00001-deployment-a"));
  EXPECT_EQ(EnvOf(one.containers(0), "TEAM"), "a");
  EXPECT_EQ(EnvOf(one.containers(0), "ACCOUNT"), "default");
  EXPECT_EQ(EnvOf(one.containers(0), "CPU"), "125");
  EXPECT_EQ(EnvOf(one.containers(0), "MEMORY"), "128");
  ASSERT_EQ(one.files_size(), 4);
  EXPECT_EQ(one.files(0).content(), "default");
  EXPECT_NE(one.files(1).content().find("app=\"hello-00001\"\n"), std::string::npos);
  EXPECT_EQ(one.files(2).content(), "1");
  // Header and claims, and no signature.
  EXPECT_TRUE(one.files(3).content().starts_with("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0."));
  EXPECT_TRUE(one.files(3).content().ends_with("."));
}

TEST(ReadRevision, WhatOnlyTheNodeKnowsIsMarkedForIt) {
  Json revision = RevisionJson();
  EXPECT_FALSE(Read(revision).instance.node_marks());
  Json& container = revision["spec"]["containers"][0];
  container["args"] = {"--listen=$(IP):80"};
  container["env"] = Json::parse(R"json([
    {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
    {"name": "HOST", "valueFrom": {"fieldRef": {"fieldPath": "status.hostIP"}}},
    {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}])json");
  const v1::InstanceSpec spec = Read(revision).instance;
  EXPECT_TRUE(spec.node_marks());
  EXPECT_EQ(EnvOf(spec.containers(0), "IP"), v1::kPodIpMark);
  EXPECT_EQ(EnvOf(spec.containers(0), "HOST"), v1::kHostIpMark);
  EXPECT_EQ(EnvOf(spec.containers(0), "NODE"), v1::kNodeNameMark);
  EXPECT_EQ(spec.containers(0).args(0), "--listen=" + std::string(v1::kPodIpMark) + ":80");
  // A volume is written before there is an address.
  revision["spec"]["volumes"] = Json::parse(R"([{"name": "me", "projected": {"sources": [
    {"downwardAPI": {"items": [{"path": "ip", "fieldRef": {"fieldPath": "status.podIP"}}]}}]}}])");
  ASSERT_TRUE(Read(revision).config_error);
  EXPECT_NE(Read(revision).config_error->message().find("unsupported fieldPath: status.podIP"), std::string::npos);
}

TEST(ReadRevision, AFieldThatCannotBeHadIsAConfigError) {
  Json revision = RevisionJson();
  revision["spec"]["containers"][0]["env"] =
      Json::parse(R"([{"name": "X", "valueFrom": {"fieldRef": {"fieldPath": "status.phase"}}}])");
  const RevisionSpec spec = Read(revision);
  ASSERT_TRUE(spec.config_error);
  EXPECT_EQ(spec.config_error->message(),
            "container \"user-container\": unsupported fieldPath: status.phase");
}

TEST(ReadRevision, AMissingObjectIsAConfigError) {
  Json revision = RevisionJson();
  revision["spec"]["volumes"] = Json::parse(R"([{"name": "v", "configMap": {"name": "gone"}}])");
  const RevisionSpec spec = Read(revision);
  ASSERT_TRUE(spec.config_error);
  EXPECT_EQ(spec.config_error->reason(), "CreateContainerConfigError");
  EXPECT_EQ(spec.config_error->message(), "volume \"v\": configmap \"gone\" not found");
}

TEST(ReadRevision, PullSecretsOfThePodAndItsServiceAccount) {
  Json revision = RevisionJson();
  revision["spec"]["imagePullSecrets"] = Json::parse(R"([{"name": "own"}, {"name": "gone"}])");
  NamedObjects named;
  named.secret = [](std::string_view name) -> std::shared_ptr<const Json> {
    // {"auths":{"https://reg.test:5000/v2/":{"auth":"dTpw"}}} and
    // {"auths":{"other":{"username":"a","password":"b"}}}
    if (name == "own") {
      return std::make_shared<Json>(Json{
          {"data",
           {{".dockerconfigjson",
             "eyJhdXRocyI6eyJodHRwczovL3JlZy50ZXN0OjUwMDAvdjIvIjp7ImF1dGgiOiJkVHB3In19fQ=="}}}});
    }
    if (name == "of-account") {
      return std::make_shared<Json>(Json{
          {"stringData",
           {{".dockerconfigjson", R"({"auths":{"other":{"username":"a","password":"b"}}})"}}}});
    }
    return nullptr;
  };
  named.service_account = [](std::string_view name) -> std::shared_ptr<const Json> {
    if (name != "default") return nullptr;
    return std::make_shared<Json>(Json::parse(R"({"imagePullSecrets": [{"name": "of-account"}]})"));
  };
  const RevisionSpec spec = Read(revision, named);
  ASSERT_EQ(spec.instance.image_auth_size(), 2);
  EXPECT_EQ(spec.instance.image_auth(0).registry(), "reg.test:5000");
  EXPECT_EQ(spec.instance.image_auth(0).username(), "u");
  EXPECT_EQ(spec.instance.image_auth(0).password(), "p");
  EXPECT_EQ(spec.instance.image_auth(1).registry(), "other");
  EXPECT_EQ(spec.instance.image_auth(1).username(), "a");
}

TEST(ReadRevision, BrokenAsItsConditionsSay) {
  Json revision = RevisionJson();
  revision["status"]["conditions"] = Json::parse(
      R"([{"type": "ContainerHealthy", "status": "False", "reason": "ContainerMissing", "message": "no such image"}])");
  const RevisionSpec spec = Read(revision);
  ASSERT_TRUE(spec.broken);
  EXPECT_EQ(spec.broken->reason(), "ContainerMissing");
}

TEST(ReadRevision, IsNotBrokenForWantOfRoom) {
  Json revision = RevisionJson();
  revision["status"]["conditions"] = Json::parse(
      R"([{"type": "ResourcesAvailable", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes"}])");
  EXPECT_FALSE(Read(revision).broken);
}

TEST(ReadRevision, RefusesWhatIsNoRevision) {
  EXPECT_FALSE(ReadRevision(Json::parse("[]"), {}));
  EXPECT_FALSE(
      ReadRevision(Json::parse(R"({"metadata":{"name":"x"},"spec":{"containers":[]}})"), {}));
}

}  // namespace
}  // namespace updraft::controller
