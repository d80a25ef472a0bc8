// The API server as the real kubectl sees it. Runs with each kubectl of $UPDRAFT_KUBECTL (paths
// between colons), or with the one on the path.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <regex>
#include <sstream>

#include "cli/client/verbs.h"
#include "core/api/access.h"
#include "core/api/meta.h"
#include "tests/integration/api/api_platform.h"
#include "tests/integration/api/command.h"

namespace updraft::controller {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

constexpr char kServing[] = "serving.knative.dev/v1";

constexpr char kHello[] = R"(
apiVersion: serving.knative.dev/v1
kind: Service
metadata:
  name: hello
spec:
  template:
    spec:
      containers:
      - image: example.com/hello:1
        env:
        - name: TARGET
          value: world
)";

std::vector<std::string> Kubectls() {
  std::vector<std::string> found;
  const char* given = getenv("UPDRAFT_KUBECTL");
  if (given != nullptr) {
    std::istringstream paths(given);
    for (std::string path; std::getline(paths, path, ':');) found.push_back(path);
    return found;
  }
  std::istringstream folders(getenv("PATH") == nullptr ? "" : getenv("PATH"));
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (access((folder + "/kubectl").c_str(), X_OK) == 0) return {folder + "/kubectl"};
  }
  return found;
}

class KubectlTest : public testing::TestWithParam<std::string> {
 protected:
  KubectlTest() {
    char folder[] = "/tmp/updraft-kubectl-XXXXXX";
    home_ = mkdtemp(folder);
  }
  ~KubectlTest() override { fs::remove_all(home_); }

  std::vector<std::string> Command(std::vector<std::string> arguments) const {
    std::vector<std::string> command = {GetParam(), "--server=" + platform_.url()};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return command;
  }
  std::map<std::string, std::string> Environment() const {
    return {{"HOME", home_}, {"KUBECONFIG", home_ + "/none"}, {"EDITOR", home_ + "/editor"}};
  }
  Outcome Kubectl(std::vector<std::string> arguments, const std::string& input = {}) const {
    return RunCommand(Command(std::move(arguments)), input, Environment());
  }
  // Expects success; gives what was printed.
  std::string Ok(std::vector<std::string> arguments, const std::string& input = {}) const {
    std::string line;
    for (const std::string& argument : arguments) line += argument + " ";
    const Outcome outcome = Kubectl(std::move(arguments), input);
    EXPECT_EQ(outcome.code, 0) << "kubectl " << line << "\n" << outcome.out << outcome.err;
    return outcome.out;
  }
  // Expects failure; gives the complaint.
  std::string Fails(std::vector<std::string> arguments, const std::string& input = {}) const {
    const Outcome outcome = Kubectl(std::move(arguments), input);
    EXPECT_NE(outcome.code, 0) << outcome.out;
    return outcome.err;
  }
  Json Hello() { return platform_.Stored(kServing, "Service", "default", "hello"); }
  void ApplyHello() { Ok({"apply", "-f", "-"}, kHello); }

  // Kubectls before this minor version lack what the test is about.
  bool OlderThan(int minor) const {
    const Outcome version =
        RunCommand({GetParam(), "version", "--client", "-o", "json"}, {}, Environment());
    const Json parsed = Json::parse(version.out, nullptr, false);
    return std::atoi(api::StringAt(parsed, {"clientVersion", "minor"}).c_str()) < minor;
  }

  // What reconcilers would say of the service.
  void SetReady(const std::string& status, const std::string& reason = "") {
    Json service = Hello();
    service["status"] = Json::parse(
        R"({"url":"http://hello.default.localhost","latestCreatedRevisionName":"hello-00001"})");
    service["status"]["observedGeneration"] = api::GenerationOf(service);
    service["status"]["conditions"] = Json::parse(R"([{"type":"Ready"}])");
    service["status"]["conditions"][0]["status"] = status;
    if (!reason.empty()) service["status"]["conditions"][0]["reason"] = reason;
    platform_.Store(kServing, "Service", service);
  }

  mutable ApiPlatform platform_;
  std::string home_;
};

TEST_P(KubectlTest, AppliesCreatesUpdatesAndLeavesAlone) {
  EXPECT_THAT(Ok({"apply", "-f", "-"}, kHello),
              HasSubstr("service.serving.knative.dev/hello created"));
  Json hello = Hello();
  EXPECT_EQ(api::GenerationOf(hello), 1);
  EXPECT_EQ(api::StringAt(hello, {"spec", "template", "spec", "containers"}, "list"), "list");
  EXPECT_EQ(hello["spec"]["template"]["spec"]["containers"][0]["name"], "user-container");
  EXPECT_EQ(hello["spec"]["traffic"][0]["percent"], 100);
  EXPECT_EQ(api::AnnotationOf(hello, "serving.knative.dev/creator"), "system:admin");

  const std::string version = api::ResourceVersionOf(hello);
  Ok({"apply", "-f", "-"}, kHello);
  EXPECT_EQ(api::ResourceVersionOf(Hello()), version) << "applying again stores nothing";

  std::string changed = kHello;
  changed.replace(changed.find("world"), 5, "moon!");
  EXPECT_THAT(Ok({"apply", "-f", "-"}, changed), HasSubstr("configured"));
  hello = Hello();
  EXPECT_EQ(api::GenerationOf(hello), 2);
  EXPECT_EQ(hello["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"], "moon!");
}

TEST_P(KubectlTest, ChangingLabelsMakesNoGeneration) {
  ApplyHello();
  EXPECT_THAT(Ok({"label", "ksvc", "hello", "team=a"}), HasSubstr("labeled"));
  EXPECT_THAT(Ok({"annotate", "ksvc", "hello", "note=b"}), HasSubstr("hello annotate"));
  EXPECT_EQ(api::GenerationOf(Hello()), 1);
  EXPECT_EQ(api::LabelOf(Hello(), "team"), "a");
  EXPECT_THAT(Ok({"get", "ksvc", "-l", "team=a", "-o", "name"}),
              HasSubstr("service.serving.knative.dev/hello"));
  EXPECT_EQ(Ok({"get", "ksvc", "-l", "team=b", "-o", "name"}), "");
}

TEST_P(KubectlTest, GetsInEveryForm) {
  ApplyHello();
  SetReady("True");
  EXPECT_THAT(Ok({"get", "ksvc"}),
              MatchesRegex("NAME +URL +LATESTCREATED +LATESTREADY +READY +REASON *\nhello "
                           "+http://hello.default.localhost +hello-00001 +True *\n"));
  EXPECT_THAT(Ok({"get", "kservice", "hello", "-o", "wide"}),
              HasSubstr("http://hello.default.localhost"));
  EXPECT_THAT(
      Ok({"get", "services.serving.knative.dev", "hello", "-o", "yaml"}),
      AllOf(HasSubstr("kind: Service\n"), HasSubstr("  url: http://hello.default.localhost\n")));
  EXPECT_EQ(Json::parse(Ok({"get", "ksvc", "hello", "-o", "json"}))["metadata"]["name"], "hello");
  EXPECT_EQ(Json::parse(Ok({"get", "ksvc", "-o", "json"}))["items"][0]["metadata"]["name"],
            "hello");
  EXPECT_EQ(Ok({"get", "ksvc", "hello", "-o", "jsonpath={.status.url}"}),
            "http://hello.default.localhost");
  EXPECT_EQ(Ok({"get", "ksvc", "hello", "-o", "name"}), "service.serving.knative.dev/hello\n");
  EXPECT_THAT(Ok({"get", "ksvc", "hello", "-o",
                  "custom-columns=N:.metadata.name,R:.status.conditions[0].status"}),
              MatchesRegex("N +R *\nhello +True *\n"));
  EXPECT_EQ(Ok({"get", "ksvc", "-o", "go-template={{range .items}}{{.metadata.name}}{{end}}"}),
            "hello");
  EXPECT_THAT(Ok({"get", "ksvc", "--show-labels", "--sort-by=.metadata.name"}),
              AllOf(HasSubstr("LABELS"), HasSubstr("<none>")));
  EXPECT_THAT(Ok({"get", "ksvc", "-A"}), HasSubstr("default"));
  for (const char* name : {"one", "two", "three"})
    Ok({"create", "configmap", name, "--from-literal=a=1"});
  EXPECT_THAT(Ok({"get", "configmaps", "--chunk-size=1", "-o", "name"}),
              MatchesRegex("configmap/one\nconfigmap/three\nconfigmap/two\n"));
  EXPECT_THAT(Ok({"get", "all"}), HasSubstr("service.serving.knative.dev/hello"));
  EXPECT_THAT(
      Fails({"get", "ksvc", "none"}),
      HasSubstr("Error from server (NotFound): services.serving.knative.dev \"none\" not found"));
  EXPECT_THAT(
      Ok({"get", "ns"}),
      MatchesRegex(
          "NAME +STATUS +AGE *\ndefault +Active +[0-9]+s *\nknative-serving +Active +[0-9]+s *\n"));
}

TEST_P(KubectlTest, WaitsForConditionsAndForDeletion) {
  ApplyHello();
  EXPECT_THAT(Fails({"wait", "ksvc", "hello", "--for=condition=Ready", "--timeout=1s"}),
              HasSubstr("timed out"));
  {
    BackgroundCommand waiting(
        Command({"wait", "ksvc", "hello", "--for=condition=Ready", "--timeout=30s"}),
        Environment());
    SetReady("True");
    EXPECT_THAT(waiting.ReadUntil("met"),
                HasSubstr("service.serving.knative.dev/hello condition met"));
  }
  BackgroundCommand waiting(Command({"wait", "ksvc", "hello", "--for=delete", "--timeout=30s"}),
                            Environment());
  EXPECT_THAT(Ok({"delete", "ksvc", "hello"}), HasSubstr("\"hello\" deleted"));
  EXPECT_TRUE(Hello().is_null());
}

TEST_P(KubectlTest, WatchesAsTable) {
  ApplyHello();
  BackgroundCommand watching(Command({"get", "ksvc", "-w"}), Environment());
  EXPECT_THAT(watching.ReadUntil("hello"), HasSubstr("NAME"));
  SetReady("False", "RevisionFailed");
  EXPECT_THAT(watching.ReadUntil("RevisionFailed"), HasSubstr("RevisionFailed"));
  SetReady("True");
  EXPECT_THAT(watching.ReadUntil("True"), HasSubstr("True"));
}

TEST_P(KubectlTest, DescribesWithEvents) {
  ApplyHello();
  SetReady("False", "RevisionFailed");
  platform_.Store(
      "v1", "Event",
      Json::parse(
          R"({"metadata":{"name":"hello.1","namespace":"default"},"type":"Warning","reason":"InternalError","message":"it went wrong",
      "count":1,"firstTimestamp":"2026-01-01T00:00:00Z","lastTimestamp":"2026-01-01T00:00:00Z","source":{"component":"service-controller"},
      "involvedObject":{"kind":"Service","name":"hello","namespace":"default","apiVersion":"serving.knative.dev/v1","uid":")" +
          api::UidOf(Hello()) + R"("}})"));
  EXPECT_THAT(Ok({"describe", "ksvc", "hello"}),
              AllOf(HasSubstr("RevisionFailed"), HasSubstr("it went wrong"),
                    HasSubstr("hello.default.localhost")));
  EXPECT_THAT(Ok({"get", "events"}), AllOf(HasSubstr("InternalError"), HasSubstr("service/hello"),
                                           HasSubstr("it went wrong")));
  EXPECT_THAT(Ok({"get", "events.events.k8s.io", "-o", "jsonpath={.items[0].note}"}),
              "it went wrong");
  if (!OlderThan(26)) {
    EXPECT_THAT(Ok({"events", "--for", "services.serving.knative.dev/hello"}),
                HasSubstr("it went wrong"));
  }
}

TEST_P(KubectlTest, ExplainsFields) {
  EXPECT_THAT(Ok({"explain", "ksvc"}), AllOf(HasSubstr("Service"), HasSubstr("spec")));
  EXPECT_THAT(Ok({"explain", "ksvc.spec.template"}),
              AllOf(HasSubstr("metadata"), HasSubstr("What the next revision is made from")));
  EXPECT_THAT(Ok({"explain", "ksvc.spec.template.spec.containers.env.valueFrom"}),
              HasSubstr("secretKeyRef"));
  EXPECT_THAT(Ok({"explain", "configmap.data"}), HasSubstr("Values as text"));
  EXPECT_THAT(Ok({"explain", "ksvc.spec", "--recursive"}),
              AllOf(HasSubstr("containerConcurrency"), HasSubstr("readinessProbe"),
                    HasSubstr("latestRevision")));
  for (const char* kind : {"pods", "nodes", "secrets", "events", "serviceaccounts", "namespaces",
                           "revisions", "routes", "configurations", "domainmappings", "cdc"}) {
    EXPECT_THAT(Ok({"explain", kind}), HasSubstr("metadata")) << kind;
  }
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

TEST_P(KubectlTest, DeletesWithEveryPropagation) {
  ApplyHello();
  Ok({"delete", "ksvc", "hello", "--cascade=background"});
  EXPECT_TRUE(Hello().is_null());
  if (OlderThan(20)) return;
  ApplyHello();
  Ok({"delete", "ksvc", "hello", "--cascade=orphan", "--wait=false"});
  EXPECT_TRUE(api::HasFinalizer(Hello(), "orphan"));
  platform_.Remove(kServing, "Service", "default", "hello");
  ApplyHello();
  Ok({"delete", "ksvc", "hello", "--cascade=foreground", "--wait=false"});
  EXPECT_TRUE(api::IsBeingDeleted(Hello()));
  EXPECT_TRUE(api::HasFinalizer(Hello(), "foregroundDeletion"));
  Ok({"patch", "ksvc", "hello", "--type=json", "-p",
      R"([{"op":"remove","path":"/metadata/finalizers"}])"});
  EXPECT_TRUE(Hello().is_null());
}

TEST_P(KubectlTest, ReplacesPatchesAndEdits) {
  EXPECT_THAT(Ok({"create", "-f", "-"}, kHello), HasSubstr("hello created"));
  EXPECT_THAT(Fails({"create", "-f", "-"}, kHello), HasSubstr("AlreadyExists"));
  Ok({"patch", "ksvc", "hello", "--type=merge", "-p",
      R"({"spec":{"template":{"spec":{"containerConcurrency":5}}}})"});
  EXPECT_EQ(Hello()["spec"]["template"]["spec"]["containerConcurrency"], 5);
  Ok({"patch", "ksvc", "hello", "--type=json", "-p",
      R"([{"op":"replace","path":"/spec/template/spec/timeoutSeconds","value":60}])"});
  EXPECT_EQ(Hello()["spec"]["template"]["spec"]["timeoutSeconds"], 60);
  EXPECT_THAT(Fails({"patch", "ksvc", "hello", "--type=json", "-p",
                     R"([{"op":"remove","path":"/spec/nothing"}])"}),
              HasSubstr("nothing"));

  Json replacement = Hello();
  replacement["spec"]["template"]["spec"]["timeoutSeconds"] = 30;
  EXPECT_THAT(Ok({"replace", "-f", "-"}, replacement.dump()), HasSubstr("replaced"));
  EXPECT_THAT(Fails({"replace", "-f", "-"}, replacement.dump()),
              HasSubstr("the object has been modified"));

  {
    FILE* editor = fopen((home_ + "/editor").c_str(), "w");
    fputs("#!/bin/sh\nsed -i 's/timeoutSeconds: 30/timeoutSeconds: 45/' \"$1\"\n", editor);
    fclose(editor);
    fs::permissions(home_ + "/editor", fs::perms::owner_all);
  }
  EXPECT_THAT(Ok({"edit", "ksvc", "hello"}), HasSubstr("edited"));
  EXPECT_EQ(Hello()["spec"]["template"]["spec"]["timeoutSeconds"], 45);
}

TEST_P(KubectlTest, AppliesOnTheServerAndDryRuns) {
  if (OlderThan(22)) GTEST_SKIP() << "kubectl is older than 1.22";
  EXPECT_THAT(Ok({"apply", "--dry-run=server", "-f", "-"}, kHello),
              HasSubstr("created (server dry run)"));
  EXPECT_TRUE(Hello().is_null());
  EXPECT_THAT(Ok({"apply", "--server-side", "-f", "-"}, kHello), HasSubstr("serverside-applied"));
  EXPECT_EQ(Hello()["spec"]["template"]["spec"]["containers"][0]["image"], "example.com/hello:1");
  Ok({"apply", "--server-side", "-f", "-"}, kHello);
  EXPECT_EQ(api::GenerationOf(Hello()), 1);
  std::string changed = kHello;
  changed.replace(changed.find("world"), 5, "moon!");
  const Outcome diff = Kubectl({"diff", "-f", "-"}, changed);
  EXPECT_EQ(diff.code, 1) << diff.err;
  EXPECT_THAT(diff.out, AllOf(HasSubstr("world"), HasSubstr("moon!")));
  const Outcome on_server = Kubectl({"diff", "--server-side", "-f", "-"}, changed);
  EXPECT_EQ(on_server.code, 1) << on_server.err;
  EXPECT_THAT(on_server.out, AllOf(HasSubstr("world"), HasSubstr("moon!")));
  EXPECT_EQ(Kubectl({"diff", "--server-side", "-f", "-"}, kHello).code, 0);
  EXPECT_EQ(api::GenerationOf(Hello()), 1);
}

TEST_P(KubectlTest, AppliesOnTheServerByOwnership) {
  if (OlderThan(22)) GTEST_SKIP() << "kubectl is older than 1.22";
  // From client-side to server-side apply: no force, and what is left out goes.
  std::string labelled = kHello;
  labelled.replace(labelled.find("  name: hello"), 13, "  name: hello\n  labels: {a: b, c: d}");
  Ok({"apply", "-f", "-"}, labelled);
  std::string fewer = labelled;
  fewer.replace(fewer.find("{a: b, c: d}"), 12, "{a: x}");
  Ok({"apply", "--server-side", "-f", "-"}, fewer);
  EXPECT_EQ(Hello()["metadata"]["labels"].dump(), R"({"a":"x"})");
  EXPECT_THAT(Ok({"get", "ksvc", "hello", "-o", "yaml", "--show-managed-fields"}),
              AllOf(HasSubstr("manager: kubectl\n"), HasSubstr("operation: Apply")));
  EXPECT_THAT(Ok({"get", "ksvc", "hello", "-o", "yaml"}), Not(HasSubstr("managedFields")));

  // Another manager owns the image then.
  Ok({"patch", "ksvc", "hello", "--type=merge", "--field-manager=ci", "-p",
      R"({"metadata":{"labels":{"a":"ci"}}})"});
  EXPECT_THAT(Fails({"apply", "--server-side", "-f", "-"}, fewer),
              AllOf(HasSubstr("Apply failed with 1 conflict: conflict with \"ci\" using "
                              "serving.knative.dev/v1: .metadata.labels.a"),
                    HasSubstr("--force-conflicts")));
  Ok({"apply", "--server-side", "--force-conflicts", "-f", "-"}, fewer);
  EXPECT_EQ(api::LabelOf(Hello(), "a"), "x");
}

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

TEST_P(KubectlTest, UpdraftPrintsTheSame) {
  if (OlderThan(24)) GTEST_SKIP() << "older kubectls print some of it in other words";
  ApplyHello();
  SetReady("True");
  Ok({"create", "configmap", "settings", "--from-literal=a=1"});
  platform_.Store("v1", "Node", Json::parse(R"({"metadata":{"name":"n1"},"spec":{},"status":{}})"));
  const auto updraft = [this](const std::function<int(const cli::Session&)>& verb) {
    std::istringstream in;
    std::ostringstream out;
    std::ostringstream err;
    cli::RestClient client({.server = platform_.url()}, [](const std::string&) {});
    const cli::Session session{client, "default", false, {in, out, err}};
    EXPECT_EQ(verb(session), 0) << err.str();
    return out.str();
  };
  const auto get = [&](const std::vector<std::string>& resources, const std::string& output) {
    return updraft([&](const cli::Session& session) {
      return cli::Get(session, {.resources = resources, .output = output});
    });
  };
  // A second may pass between the two.
  const auto ageless = [](const std::string& table) {
    return std::regex_replace(table, std::regex(" [0-9]+s *"), " AGE ");
  };
  for (const char* kinds : {"ksvc", "configmaps", "namespaces", "nodes", "all"}) {
    EXPECT_EQ(ageless(get({kinds}, "")), ageless(Ok({"get", kinds}))) << kinds;
    EXPECT_EQ(ageless(get({kinds}, "wide")), ageless(Ok({"get", kinds, "-o", "wide"}))) << kinds;
    EXPECT_EQ(get({kinds}, "name"), Ok({"get", kinds, "-o", "name"})) << kinds;
  }
  EXPECT_EQ(get({"ksvc/hello"}, "yaml"), Ok({"get", "ksvc/hello", "-o", "yaml"}));
  EXPECT_EQ(Json::parse(get({"cm"}, "json")), Json::parse(Ok({"get", "cm", "-o", "json"})));

  // Each change is made by one of them and asked for again by the other.
  const auto mark = [&](cli::MarkField field, const std::vector<std::string>& arguments) {
    return updraft([&](const cli::Session& session) {
      return cli::Mark(session, field, {.arguments = arguments});
    });
  };
  EXPECT_EQ(mark(cli::MarkField::kLabels, {"cm", "settings", "x=y"}),
            Ok({"label", "ksvc", "hello", "x=y"}).replace(0, 34, "configmap/settings "));
  EXPECT_EQ(Ok({"label", "cm", "settings", "x=y"}),
            mark(cli::MarkField::kLabels, {"cm/settings", "x=y"}));
  EXPECT_EQ(mark(cli::MarkField::kLabels, {"cm/settings", "x-"}),
            Ok({"label", "ksvc", "hello", "x-"}).replace(0, 34, "configmap/settings "));
  EXPECT_EQ(mark(cli::MarkField::kAnnotations, {"cm/settings", "x=y"}),
            Ok({"annotate", "cm", "settings", "x=y"}));
  const auto patch = [&](const std::string& body) {
    return updraft([&](const cli::Session& session) {
      return cli::Patch(session, {.resources = {"cm/settings"}, .patch = body});
    });
  };
  EXPECT_EQ(patch(R"({"data":{"a":"2"}})"), "configmap/settings patched\n");
  EXPECT_EQ(Ok({"patch", "cm", "settings", "-p", R"({"data":{"a":"3"}})"}),
            "configmap/settings patched\n");
  EXPECT_EQ(patch("data: {a: '3'}"), "configmap/settings patched (no change)\n");
  EXPECT_EQ(Ok({"patch", "cm", "settings", "-p", R"({"data":{"a":"3"}})"}),
            "configmap/settings patched (no change)\n");
  for (const cli::Schedulable wish : {cli::Schedulable::kNo, cli::Schedulable::kYes}) {
    const char* const verb = wish == cli::Schedulable::kNo ? "cordon" : "uncordon";
    const auto cordon = [&] {
      return updraft(
          [&](const cli::Session& session) { return cli::Cordon(session, {"n1"}, wish); });
    };
    EXPECT_EQ(cordon(), std::string("node/n1 ") + verb + "ed\n");
    EXPECT_EQ(cordon(), Ok({verb, "n1"}));
  }
  EXPECT_THAT(
      updraft([&](const cli::Session& session) { return cli::Drain(session, {.nodes = {"n1"}}); }),
      HasSubstr("node/n1 drained"));
}

TEST_P(KubectlTest, UpdraftExplainsTheSame) {
  if (OlderThan(27)) GTEST_SKIP() << "older kubectls explain in another form";
  const auto updraft = [](const std::string& what, bool recursive) {
    std::istringstream in;
    std::ostringstream out;
    std::ostringstream err;
    cli::RestClient client({.server = "127.0.0.1:1"}, [](const std::string&) {});
    const cli::Session session{client, "default", false, {in, out, err}};
    EXPECT_EQ(cli::Explain(session, {.what = what, .recursive = recursive}), 0) << err.str();
    return out.str();
  };
  for (const api::Kind& kind : api::Kinds()) {
    if (!kind.stored_as.empty()) continue;  // another kind's objects, in other words
    const std::string name = kind.short_names.empty() ? kind.plural : kind.short_names.front();
    EXPECT_EQ(updraft(name, false), Ok({"explain", name}));
    EXPECT_EQ(updraft(name, true), Ok({"explain", name, "--recursive"}));
  }
  for (const char* field : {"ksvc.metadata", "ksvc.spec.template", "ksvc.spec.traffic.percent",
                            "pod.metadata.ownerReferences", "ksvc.spec.template.spec.containers",
                            "ksvc.spec.template.spec.containers.env.valueFrom", "cm.data",
                            "pod.spec.containers.livenessProbe.httpGet.port",
                            "node.status.capacity", "pod.spec.containers.resources",
                            "ns.status.conditions", "secret.data", "pvc.spec.resources"}) {
    EXPECT_EQ(updraft(field, false), Ok({"explain", field}));
  }
}

TEST_P(KubectlTest, UpdraftWritesTheSame) {
  if (OlderThan(24)) GTEST_SKIP() << "older kubectls print some of it in other words";
  const auto updraft = [this](const std::string& input,
                              const std::function<int(const cli::Session&)>& verb) {
    std::istringstream in(input);
    std::ostringstream out;
    std::ostringstream err;
    cli::RestClient client({.server = platform_.url()}, [](const std::string&) {});
    const int code = verb({client, "default", false, {in, out, err}});
    return Outcome{.code = code, .out = out.str(), .err = err.str()};
  };
  const cli::ManifestQuery piped{.sources = {"-"}};
  const auto map = [](const std::string& name, const std::string& value) {
    return "apiVersion: v1\nkind: ConfigMap\nmetadata: {" + name + "}\ndata: {a: '" + value +
           "'}\n";
  };
  const auto create = [&](const cli::Session& session) {
    return cli::Create(session, {.manifests = piped});
  };
  const auto replace = [&](const cli::Session& session) {
    return cli::Replace(session, {.manifests = piped});
  };
  const auto diff = [&](const cli::Session& session) {
    return cli::Diff(session, {.manifests = piped});
  };
  EXPECT_EQ(updraft(map("name: a", "1"), create).out, "configmap/a created\n");
  EXPECT_EQ(Ok({"create", "-f", "-"}, map("name: b", "1")), "configmap/b created\n");
  EXPECT_EQ(updraft(map("name: a", "1"), create).code, 1);
  EXPECT_EQ(updraft(map("name: a", "2"), replace).out,
            Ok({"replace", "-f", "-"}, map("name: a", "2")));
  EXPECT_EQ(platform_.Stored("v1", "ConfigMap", "default", "a")["data"]["a"], "2");
  ApplyHello();
  Json other = Hello();
  other["metadata"].erase("resourceVersion");
  EXPECT_EQ(updraft(other.dump(), replace).out, Ok({"replace", "-f", "-"}, other.dump()));
  other["metadata"]["resourceVersion"] = "1";
  EXPECT_THAT(updraft(other.dump(), replace).err, HasSubstr("the object has been modified"));
  Ok({"delete", "ksvc", "hello"});
  EXPECT_THAT(updraft(map("generateName: g-", "1"), create).out,
              MatchesRegex("configmap/g-[a-z0-9]+ created\n"));

  ApplyHello();
  std::string changed = kHello;
  changed.replace(changed.find("world"), 5, "moon!");
  // What names the two folders differs each time.
  const auto nameless = [](const std::string& text) {
    return std::regex_replace(text, std::regex("(diff -u|---|\\+\\+\\+) [^\n]*\n"), "$1\n");
  };
  const Outcome ours = updraft(changed, diff);
  const Outcome theirs = Kubectl({"diff", "-f", "-"}, changed);
  EXPECT_EQ(ours.code, 1) << ours.err;
  EXPECT_THAT(ours.out, AllOf(HasSubstr("world"), HasSubstr("moon!")));
  EXPECT_EQ(nameless(ours.out), nameless(theirs.out));
  EXPECT_EQ(updraft(kHello, diff).code, Kubectl({"diff", "-f", "-"}, kHello).code);

  setenv("KUBE_EDITOR", "sed -i 's/timeoutSeconds: 300/timeoutSeconds: 45/'", 1);
  const Outcome edited = updraft("", [](const cli::Session& session) {
    return cli::Edit(session, {.resources = {"ksvc/hello"}});
  });
  unsetenv("KUBE_EDITOR");
  EXPECT_EQ(edited.out, "service.serving.knative.dev/hello edited\n") << edited.err;
  EXPECT_EQ(Hello()["spec"]["template"]["spec"]["timeoutSeconds"], 45);
}

TEST_P(KubectlTest, ToldWhatIsWrong) {
  std::string wrong = kHello;
  wrong.replace(wrong.find("containers:"), 11, "container:");
  EXPECT_THAT(Fails({"apply", "-f", "-"}, wrong), HasSubstr("container"));
  wrong = kHello;
  wrong.replace(wrong.find("TARGET"), 6, "PORT");
  EXPECT_THAT(Fails({"apply", "-f", "-"}, wrong),
              HasSubstr("admission webhook \"validation.webhook.serving.knative.dev\" denied the "
                        "request: validation failed: \"PORT\" is a reserved environment "
                        "variable: spec.template.spec.containers[0].env[0].name"));
  EXPECT_TRUE(Hello().is_null());
}

TEST_P(KubectlTest, DiscoveryAndVersion) {
  EXPECT_THAT(Ok({"api-resources"}),
              AllOf(HasSubstr("kservice,ksvc"), HasSubstr("serving.knative.dev/v1"),
                    HasSubstr("configmaps")));
  EXPECT_THAT(Ok({"api-versions"}),
              HasSubstr("serving.knative.dev/v1\nserving.knative.dev/v1beta1\nv1\n"));
  EXPECT_THAT(Ok({"version"}), HasSubstr("updraft"));
  EXPECT_EQ(Ok({"get", "--raw", "/readyz"}), "ok");
}

TEST_P(KubectlTest, AppliesADirectoryOfManifests) {
  fs::create_directories(home_ + "/app");
  const auto write = [this](const std::string& name, const std::string& text) {
    FILE* file = fopen((home_ + "/app/" + name).c_str(), "w");
    fputs(text.c_str(), file);
    fclose(file);
  };
  write("service.yaml", kHello);
  write("kustomization.yaml", "resources: [service.yaml]\nnamePrefix: my-\n");
  EXPECT_THAT(Ok({"apply", "-k", home_ + "/app"}),
              HasSubstr("service.serving.knative.dev/my-hello created"));
  fs::remove(home_ + "/app/kustomization.yaml");
  EXPECT_THAT(Ok({"apply", "-f", home_ + "/app"}),
              HasSubstr("service.serving.knative.dev/hello created"));
}

INSTANTIATE_TEST_SUITE_P(Each, KubectlTest, testing::ValuesIn(Kubectls()),
                         [](const auto& test) { return "No" + std::to_string(test.index); });

// Says why nothing ran, where there is no kubectl.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(KubectlTest);
TEST(KubectlPresence, IsNeededForTheTestsAbove) {
  if (Kubectls().empty()) GTEST_SKIP() << "no kubectl on this machine: install kubernetes-client";
}

}  // namespace
}  // namespace updraft::controller
