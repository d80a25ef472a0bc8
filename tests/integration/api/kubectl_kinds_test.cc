// Kinds beside Knative's: configuration, namespaces, claims, pods with their logs, nodes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/integration/api/kubectl_fixture.h"

namespace updraft::controller {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::MatchesRegex;

TEST_P(KubectlTest, CoreKinds) {
  EXPECT_THAT(Ok({"create", "configmap", "settings", "--from-literal=a=1"}),
              HasSubstr("configmap/settings created"));
  EXPECT_THAT(Ok({"get", "cm", "settings", "-o", "jsonpath={.data.a}"}), "1");
  EXPECT_THAT(Ok({"create", "secret", "generic", "key", "--from-literal=k=v"}),
              HasSubstr("secret/key created"));
  EXPECT_EQ(Ok({"get", "secret", "key", "-o", "jsonpath={.data.k} {.type}"}), "dg== Opaque");
  EXPECT_THAT(Ok({"create", "serviceaccount", "robot"}), HasSubstr("robot created"));
  Ok({"patch", "serviceaccount", "robot", "-p", R"({"imagePullSecrets":[{"name":"key"}]})"});
  EXPECT_EQ(Ok({"get", "sa", "robot", "-o", "jsonpath={.imagePullSecrets[0].name}"}), "key");
  const std::string map =
      "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: applied\ndata:\n  a: \"1\"\n  b: "
      "\"2\"\n";
  Ok({"apply", "-f", "-"}, map);
  const std::string shorter = map.substr(0, map.find("  b:"));
  Ok({"apply", "-f", "-"}, shorter);
  EXPECT_EQ(platform_.Stored("v1", "ConfigMap", "default", "applied")["data"].dump(),
            R"({"a":"1"})");
  EXPECT_THAT(Ok({"apply", "-f", "-"}, shorter), HasSubstr("unchanged"));
  Ok({"delete", "cm", "applied", "settings"});
  EXPECT_TRUE(platform_.Stored("v1", "ConfigMap", "default", "applied").is_null());
}

TEST_P(KubectlTest, Namespaces) {
  Ok({"create", "namespace", "team"});
  Ok({"apply", "-n", "team", "-f", "-"}, kHello);
  EXPECT_FALSE(platform_.Stored(kServing, "Service", "team", "hello").is_null());
  EXPECT_THAT(Fails({"apply", "-n", "nowhere", "-f", "-"}, kHello),
              HasSubstr("namespaces \"nowhere\" not found"));
  EXPECT_THAT(Fails({"delete", "namespace", "default"}), HasSubstr("forbidden"));
  Ok({"delete", "namespace", "team", "--wait=false"});
  EXPECT_THAT(Ok({"get", "ns", "team"}), HasSubstr("Terminating"));
  std::string other = kHello;
  other.replace(other.find("name: hello"), 11, "name: other");
  EXPECT_THAT(Fails({"apply", "-n", "team", "-f", "-"}, other),
              HasSubstr("because it is being terminated"));
}

TEST_P(KubectlTest, ClaimsAreBoundAtOnce) {
  const std::string claim =
      "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\n"
      "spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n";
  EXPECT_EQ(Ok({"create", "-f", "-"}, claim), "persistentvolumeclaim/data created\n");
  EXPECT_THAT(Ok({"get", "pvc"}),
              AllOf(HasSubstr("STORAGECLASS"), HasSubstr("Bound"), HasSubstr("pvc-"),
                    HasSubstr("1Gi"), HasSubstr("RWO"), HasSubstr("local-path")));
  EXPECT_THAT(Ok({"describe", "pvc", "data"}), AllOf(HasSubstr("Bound"), HasSubstr("Filesystem")));
  EXPECT_THAT(Ok({"explain", "pvc.spec"}), HasSubstr("accessModes"));
  // The same manifest again changes nothing, whichever way it comes.
  EXPECT_THAT(Ok({"apply", "-f", "-"}, claim), HasSubstr("persistentvolumeclaim/data configured"));
  EXPECT_EQ(Ok({"apply", "-f", "-"}, claim), "persistentvolumeclaim/data unchanged\n");
  if (!OlderThan(22)) {
    EXPECT_EQ(Ok({"apply", "--server-side", "--force-conflicts", "-f", "-"}, claim),
              "persistentvolumeclaim/data serverside-applied\n");
  }
  Ok({"patch", "pvc", "data", "-p", R"({"spec":{"resources":{"requests":{"storage":"2Gi"}}}})"});
  EXPECT_EQ(Ok({"get", "pvc", "data", "-o", "jsonpath={.status.capacity.storage}"}), "2Gi");
  EXPECT_THAT(Fails({"patch", "pvc", "data", "-p", R"({"spec":{"volumeMode":"Block"}})"}),
              HasSubstr("spec is immutable after creation"));
  EXPECT_THAT(
      Fails({"create", "-f", "-"},
            "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: none}\nspec: {}\n"),
      AllOf(HasSubstr("at least 1 access mode is required"), HasSubstr("spec.resources[storage]")));
  EXPECT_EQ(Ok({"delete", "pvc", "data"}).find("persistentvolumeclaim \"data\" deleted"), 0U);
}

TEST_P(KubectlTest, PodsAreReadAndTheirLogsFollowed) {
  platform_.Store(
      "v1", "Pod",
      Json::parse(R"({"metadata":{"name":"hello-1","namespace":"default","labels":{"app":"hello"},
      "annotations":{"kubectl.kubernetes.io/default-container":"user-container"},"creationTimestamp":"2026-01-01T00:00:00Z"},
      "spec":{"nodeName":"n1","containers":[{"name":"user-container"},{"name":"side"}]},
      "status":{"phase":"Running","podIP":"10.0.0.1","containerStatuses":[{"name":"user-container","ready":true},{"name":"side","ready":true}]}})"));
  platform_.OnLoop([this] { platform_.logs().Append("hello-1", "one\ntwo\n"); });
  EXPECT_THAT(Ok({"get", "pods", "-o", "wide"}),
              MatchesRegex("NAME +READY +STATUS +RESTARTS +AGE +IP +NODE .*\nhello-1 +2/2 +Running "
                           "+0 +[^ ]+ +10.0.0.1 +n1 .*\n"));
  if (!OlderThan(24)) {  // which know the annotation
    EXPECT_THAT(Ok({"logs", "hello-1"}), HasSubstr("one\ntwo\n"));
  }
  EXPECT_THAT(Ok({"logs", "-l", "app=hello", "-c", "side", "--tail=5"}), HasSubstr("one"));
  LogRequest last;
  platform_.OnLoop([&] { last = platform_.logs().last_request(); });
  EXPECT_EQ(last.container, "side");
  EXPECT_EQ(last.tail_lines, 5);
  BackgroundCommand following(Command({"logs", "-f", "hello-1", "-c", "side"}), Environment());
  following.ReadUntil("two");
  platform_.OnLoop([this] { platform_.logs().Append("hello-1", "three\n"); });
  EXPECT_THAT(following.ReadUntil("three"), HasSubstr("three"));
  EXPECT_THAT(Fails({"logs", "hello-1", "-c", "none"}),
              HasSubstr("container none is not valid for pod hello-1"));
  EXPECT_THAT(Ok({"describe", "pod", "hello-1"}), HasSubstr("10.0.0.1"));
  EXPECT_THAT(Ok({"delete", "pod", "hello-1"}), HasSubstr("pod \"hello-1\" deleted"));
  EXPECT_TRUE(platform_.Stored("v1", "Pod", "default", "hello-1").is_null());
}

TEST_P(KubectlTest, NodesAreCordoned) {
  platform_.Store(
      "v1", "Node",
      Json::parse(R"({"metadata":{"name":"n1","creationTimestamp":"2026-01-01T00:00:00Z"},"spec":{},
      "status":{"nodeInfo":{"kubeletVersion":"v1.32.0"},"conditions":[{"type":"Ready","status":"True"}]}})"));
  EXPECT_THAT(
      Ok({"get", "nodes"}),
      MatchesRegex("NAME +STATUS +ROLES +AGE +VERSION *\nn1 +Ready +<none> +[^ ]+ +v1.32.0 *\n"));
  EXPECT_THAT(Ok({"cordon", "n1"}), HasSubstr("cordoned"));
  EXPECT_EQ(platform_.Stored("v1", "Node", "", "n1")["spec"]["unschedulable"], true);
  EXPECT_THAT(Ok({"get", "nodes"}), HasSubstr("Ready,SchedulingDisabled"));
  EXPECT_THAT(Ok({"uncordon", "n1"}), HasSubstr("uncordoned"));
}

TEST_P(KubectlTest, NodesAreDrained) {
  platform_.Store("v1", "Node", Json::parse(R"({"metadata":{"name":"n1"},"spec":{},"status":{}})"));
  for (const char* node : {"n1", "n2"}) {
    Json pod = Json::parse(
        R"({"metadata":{"namespace":"default","ownerReferences":[{"apiVersion":"serving.knative.dev/v1",
        "kind":"Revision","name":"hello-00001","uid":"u","controller":true}]},"spec":{"containers":[{"name":"c"}]},
        "status":{"phase":"Running"}})");
    pod["metadata"]["name"] = std::string("on-") + node;
    pod["metadata"]["uid"] = std::string("uid-") + node;
    pod["spec"]["nodeName"] = node;
    platform_.Store("v1", "Pod", pod);
  }
  // Old kubectls delete where newer ones evict: both have the instance replaced.
  EXPECT_THAT(Ok({"drain", "n1"}), MatchesRegex("node/n1 cordoned\n(evicting pod "
                                                "default/on-n1\n)?pod/on-n1 "
                                                "(evicted|deleted)\nnode/n1 .*"));
  EXPECT_EQ(platform_.Stored("v1", "Node", "", "n1")["spec"]["unschedulable"], true);
  EXPECT_TRUE(platform_.Stored("v1", "Pod", "default", "on-n1").is_null());
  EXPECT_FALSE(platform_.Stored("v1", "Pod", "default", "on-n2").is_null());
}

}  // namespace
}  // namespace updraft::controller
