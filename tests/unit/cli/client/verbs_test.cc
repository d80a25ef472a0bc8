#include "cli/client/verbs.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "cli/client/merge.h"
#include "cli/client/program.h"
#include "tests/unit/cli/client/fake_api.h"

namespace updraft::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const std::string kServices = "/apis/serving.knative.dev/v1/namespaces/default/services";
const std::string kPods = "/api/v1/namespaces/default/pods";

constexpr const char* kHello = R"(
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: hello}
spec: {template: {spec: {containers: [{image: dev.local/hello}]}}}
)";

Json Service(const std::string& ready, const std::string& message = "") {
  return {{"apiVersion", "serving.knative.dev/v1"},
          {"kind", "Service"},
          {"metadata", {{"name", "hello"}, {"namespace", "default"}, {"generation", 1}}},
          {"status",
           {{"observedGeneration", 1},
            {"conditions",
             {{{"type", "Ready"}, {"status", ready}, {"reason", "R"}, {"message", message}}}}}}};
}

Json PodOf(const std::string& name, const std::string& created) {
  return {{"metadata", {{"name", name}, {"namespace", "default"}, {"creationTimestamp", created}}},
          {"status", {{"containerStatuses", {{{"state", {{"running", Json::object()}}}}}}}}};
}

class VerbsTest : public testing::Test {
 protected:
  int ApplyText(const std::string& text, ApplyOptions options = {}) {
    test_.in.clear();
    test_.in.str(text);
    options.manifests.sources = {"-"};
    return Apply(test_.session, options);
  }
  std::string Out() { return std::exchange(test_.out, std::ostringstream()).str(); }
  std::string Err() { return std::exchange(test_.err, std::ostringstream()).str(); }

  FakeApi api_;
  TestSession test_{api_};
};

// ---- apply

TEST_F(VerbsTest, ApplyCreatesConfiguresAndLeavesAlone) {
  EXPECT_EQ(ApplyText(kHello), 0) << Err();
  EXPECT_EQ(Out(), "service.serving.knative.dev/hello created\n");
  EXPECT_EQ(api_.Requests().back(),
            "POST " + kServices + "?fieldManager=updraft&fieldValidation=Strict");
  EXPECT_EQ(ApplyText(kHello), 0);
  EXPECT_EQ(Out(), "service.serving.knative.dev/hello unchanged\n");
  EXPECT_EQ(ApplyText(std::string(kHello) + "# other\n"), 0);
  EXPECT_EQ(Out(), "service.serving.knative.dev/hello unchanged\n");
  std::string changed = kHello;
  changed.replace(changed.find("dev.local/hello"), 15, "dev.local/other");
  EXPECT_EQ(ApplyText(changed), 0);
  EXPECT_EQ(Out(), "service.serving.knative.dev/hello configured\n");
  EXPECT_THAT(api_.LastBody(), HasSubstr("dev.local/other"));
  EXPECT_EQ(api_.Get(kServices + "/hello")["spec"]["template"]["spec"]["containers"][0]["image"],
            "dev.local/other");
}

TEST_F(VerbsTest, ApplyShowsTheServersWordsWithFileAndDocumentAndGoesOn) {
  api_.Script(
      "POST " + kServices, 400,
      R"({"kind":"Status","reason":"BadRequest","message":"missing field(s): spec.template.spec.containers"})");
  EXPECT_EQ(ApplyText(std::string(kHello) + "---\n" + kHello), 1);
  EXPECT_THAT(Err(), HasSubstr("error: standard input, document 1: Service \"hello\": missing "
                               "field(s): spec.template.spec.containers\n"));
  EXPECT_EQ(Out(), "service.serving.knative.dev/hello created\n");
}

TEST_F(VerbsTest, ApplyRefusesWhatItCannotPlace) {
  EXPECT_EQ(ApplyText("{}"), 1);
  EXPECT_EQ(ApplyText("{apiVersion: v1}"), 1);
  EXPECT_EQ(ApplyText("{apiVersion: v1, kind: Gizmo, metadata: {name: x}}"), 1);
  EXPECT_EQ(ApplyText("{apiVersion: v1, kind: ConfigMap, metadata: {}}"), 1);
  EXPECT_EQ(ApplyText("a: ["), 1);
  const std::string err = Err();
  EXPECT_THAT(err, HasSubstr("apiVersion is missing"));
  EXPECT_THAT(err, HasSubstr("kind is missing"));
  EXPECT_THAT(err, HasSubstr("no matches for kind \"Gizmo\" in version \"v1\""));
  EXPECT_THAT(err, HasSubstr("metadata.name is missing"));
  EXPECT_TRUE(api_.Requests().empty());
}

TEST_F(VerbsTest, ApplyTriesAgainWhenSomeoneElseWasQuicker) {
  EXPECT_EQ(ApplyText(kHello), 0);
  api_.Script("PATCH " + kServices + "/hello", 409,
              R"({"kind":"Status","reason":"Conflict","message":"modified"})");
  std::string changed = kHello;
  changed.replace(changed.find("dev.local/hello"), 15, "dev.local/other");
  Out();
  EXPECT_EQ(ApplyText(changed), 0);
  EXPECT_EQ(Out(), "service.serving.knative.dev/hello configured\n");
}

TEST_F(VerbsTest, ApplyInANamespaceOfItsOwn) {
  EXPECT_EQ(ApplyText("{apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: shop}}"),
            0);
  EXPECT_EQ(Out(), "configmap/c created\n");
  EXPECT_THAT(api_.Requests().back(), HasSubstr("/namespaces/shop/configmaps"));
  test_.session.namespace_given = true;
  EXPECT_EQ(ApplyText("{apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: shop}}"),
            1);
  EXPECT_THAT(Err(), HasSubstr("metadata.namespace is \"shop\", but -n says \"default\""));
}

TEST_F(VerbsTest, ApplyWaitsUntilReady) {
  api_.OnWatch([](FakeApi& server) { server.Store(kServices + "/hello", Service("True")); });
  EXPECT_EQ(ApplyText(kHello, {.wait = true, .timeout = Seconds(10)}), 0) << Err();
  EXPECT_EQ(Out(),
            "service.serving.knative.dev/hello created\nservice.serving.knative.dev/hello ready\n");
}

TEST_F(VerbsTest, ApplySaysWhyItDidNotBecomeReady) {
  api_.OnWatch(
      [](FakeApi& server) { server.Store(kServices + "/hello", Service("Unknown", "pulling")); });
  EXPECT_EQ(ApplyText(kHello, {.wait = true, .timeout = Millis(200)}), 1);
  EXPECT_THAT(Err(), HasSubstr("service.serving.knative.dev/hello: Ready is Unknown: R: pulling"));
}

// ---- create, replace, diff and edit

TEST_F(VerbsTest, CreateAndReplaceSendManifestsAsTheyAre) {
  test_.in.str(kHello);
  EXPECT_EQ(Create(test_.session, {.manifests = {.sources = {"-"}}, .dry_run = true}), 0) << Err();
  EXPECT_EQ(Out(), "service.serving.knative.dev/hello created (server dry run)\n");
  EXPECT_EQ(api_.Requests().back(),
            "POST " + kServices + "?fieldManager=updraft&fieldValidation=Strict&dryRun=All");
  EXPECT_EQ(api_.LastBody().find("last-applied"), std::string::npos);
  test_.in.clear();
  test_.in.str(kHello);
  EXPECT_EQ(Replace(test_.session, {.manifests = {.sources = {"-"}}}), 0) << Err();
  EXPECT_EQ(Out(), "service.serving.knative.dev/hello replaced\n");
  EXPECT_EQ(api_.Requests().back(),
            "PUT " + kServices + "/hello?fieldManager=updraft&fieldValidation=Strict");
}

TEST_F(VerbsTest, WhatCannotBeWrittenKeepsNothingElse) {
  const std::string two =
      "{apiVersion: v1, kind: ConfigMap, metadata: {}}\n---\n" + std::string(kHello);
  test_.in.str(two);
  EXPECT_EQ(Create(test_.session, {.manifests = {.sources = {"-"}}}), 1);
  EXPECT_THAT(Err(),
              HasSubstr("standard input, document 1: ConfigMap \"\": metadata.name is missing"));
  EXPECT_EQ(Out(), "service.serving.knative.dev/hello created\n");
  test_.in.clear();
  test_.in.str("{apiVersion: v1, kind: ConfigMap, metadata: {name: none}}");
  EXPECT_EQ(Replace(test_.session, {.manifests = {.sources = {"-"}}}), 1);
  EXPECT_THAT(Err(), HasSubstr("\"none\" not found"));
}

TEST_F(VerbsTest, DiffShowsWhatApplyWouldChange) {
  ASSERT_EQ(ApplyText(kHello), 0);
  Out();
  const auto diff = [this](const std::string& text) {
    test_.in.clear();
    test_.in.str(text);
    return Diff(test_.session, {.manifests = {.sources = {"-"}}});
  };
  EXPECT_EQ(diff(kHello), 0);
  EXPECT_EQ(Out(), "");
  std::string changed = kHello;
  changed.replace(changed.find("dev.local/hello"), 15, "dev.local/other");
  EXPECT_EQ(diff(changed), 1);
  EXPECT_THAT(api_.Requests().back(), testing::EndsWith("&dryRun=All"));
  const std::string out = Out();
  EXPECT_THAT(out, HasSubstr("serving.knative.dev.v1.Service.default.hello"));
  EXPECT_THAT(out, HasSubstr("\n-      - image: dev.local/hello\n"));
  EXPECT_THAT(out, HasSubstr("\n+      - image: dev.local/other\n"));
  EXPECT_EQ(diff("{apiVersion: v1, kind: ConfigMap, metadata: {name: new}, data: {a: b}}"), 1);
  EXPECT_THAT(Out(), HasSubstr("\n+kind: ConfigMap\n"));
  EXPECT_EQ(diff("{}"), kDiffFailed);
}

TEST_F(VerbsTest, ExplainKnowsKindsAndFields) {
  EXPECT_EQ(Explain(test_.session, {.what = "ksvc.spec.traffic.percent"}), 0) << Err();
  EXPECT_EQ(Out(),
            "GROUP:      serving.knative.dev\nKIND:       Service\nVERSION:    v1\n\n"
            "FIELD: percent <integer>\n\n\nDESCRIPTION:\n    Share of the requests; the shares sum "
            "to 100.\n    \n\n");
  EXPECT_EQ(Explain(test_.session, {.what = "cm", .recursive = true}), 0);
  EXPECT_THAT(Out(),
              HasSubstr("\n  metadata\t<ObjectMeta>\n    annotations\t<map[string]string>\n"));
  EXPECT_EQ(Explain(test_.session, {.what = "cm.date"}), 1);
  EXPECT_EQ(Err(), "error: field \"date\" does not exist\n");
  EXPECT_EQ(Explain(test_.session, {.what = "nope"}), 1);
  EXPECT_EQ(Explain(test_.session, {}), 1);
  EXPECT_TRUE(api_.Requests().empty());
}

// An editor that is a line for sed.
class EditorTest : public VerbsTest {
 protected:
  EditorTest() { api_.Put(kServices + "/hello", Service("True", "old")); }
  ~EditorTest() override { unsetenv("KUBE_EDITOR"); }
  int EditWith(const std::string& editor) {
    setenv("KUBE_EDITOR", editor.c_str(), 1);
    return Edit(test_.session, {.resources = {"ksvc", "hello"}});
  }
};

TEST_F(EditorTest, WhatIsSavedIsSent) {
  EXPECT_EQ(EditWith("sed -i 's/message: old/message: new/'"), 0) << Err();
  EXPECT_EQ(Out(), "service.serving.knative.dev/hello edited\n");
  EXPECT_THAT(api_.Requests().back(), testing::StartsWith("PATCH " + kServices + "/hello"));
  EXPECT_THAT(api_.LastBody(), Not(HasSubstr("metadata")));
  EXPECT_EQ(api_.Get(kServices + "/hello")["status"]["conditions"][0]["message"], "new");
}

TEST_F(EditorTest, WithoutAChangeNothingIsSent) {
  for (const char* editor :
       {"true", "truncate -s 0", "sed -i 's/^kind: Service/kind: \"Service\"/'"}) {
    EXPECT_EQ(EditWith(editor), 0) << editor;
    EXPECT_EQ(Err(), "Edit cancelled, no changes made.\n") << editor;
    EXPECT_EQ(Out(), "") << editor;
  }
  EXPECT_THAT(api_.Requests().back(), testing::StartsWith("GET "));
}

TEST_F(EditorTest, WhatGoesWrongLosesNoChange) {
  EXPECT_EQ(EditWith("false"), 1);
  EXPECT_EQ(Err(), "error: the editor \"false\" ended with code 1\n");
  EXPECT_EQ(EditWith("sed -i 's/^kind: Service/kind: [/'"), 1);
  const std::string err = Err();
  const size_t at = err.find("stored to \"");
  ASSERT_NE(at, std::string::npos) << err;
  const std::string file = err.substr(at + 11, err.rfind('"') - at - 11);
  EXPECT_THAT(*ReadTextFile(file), HasSubstr("kind: ["));
  std::filesystem::remove_all(std::filesystem::path(file).parent_path());
}

// ---- get and describe

constexpr const char* kPodTable =
    R"({"kind":"Table","columnDefinitions":[{"name":"Name"},{"name":"Ready"}],"rows":[{"cells":["hello","True"]}]})";

TEST_F(VerbsTest, GetPrintsTheServersTable) {
  api_.Script("GET " + kServices, 200, kPodTable);
  EXPECT_EQ(Get(test_.session, {.resources = {"ksvc"}}), 0);
  EXPECT_EQ(Out(), "NAME    READY\nhello   True\n");
}

TEST_F(VerbsTest, GetOfSeveralKindsNamesThem) {
  api_.Script("GET " + kServices, 200, kPodTable);
  api_.Script("GET " + kPods, 200, kPodTable);
  EXPECT_EQ(Get(test_.session, {.resources = {"ksvc,pods"}}), 0);
  const std::string out = Out();
  EXPECT_THAT(out, HasSubstr("service.serving.knative.dev/hello"));
  EXPECT_THAT(out, HasSubstr("\n\nNAME"));
  EXPECT_THAT(out, HasSubstr("pod/hello"));
}

TEST_F(VerbsTest, GetSaysWhenThereIsNothing) {
  EXPECT_EQ(Get(test_.session, {.resources = {"ksvc"}}), 0);
  EXPECT_EQ(Err(), "No resources found in default namespace.\n");
  EXPECT_EQ(Get(test_.session, {.resources = {"ksvc"}, .all_namespaces = true}), 0);
  EXPECT_EQ(Err(), "No resources found\n");
  EXPECT_EQ(Get(test_.session, {.resources = {"nodes"}}), 0);
  EXPECT_EQ(Err(), "No resources found\n");
  EXPECT_EQ(Get(test_.session, {.resources = {"ksvc", "nope"}}), 1);
  EXPECT_EQ(Err(), "error: \"nope\" not found\n");
}

TEST_F(VerbsTest, GetAsYamlJsonAndName) {
  api_.Put(kServices + "/hello", Service("True"));
  EXPECT_EQ(Get(test_.session, {.resources = {"ksvc/hello"}, .output = "yaml"}), 0);
  EXPECT_THAT(Out(), HasSubstr("kind: Service\n"));
  EXPECT_EQ(Get(test_.session, {.resources = {"ksvc"}, .output = "json"}), 0);
  const Json list = api::ReadJson(Out())->value;
  EXPECT_EQ(list["kind"], "List");
  EXPECT_EQ(list["items"][0]["kind"], "Service");
  EXPECT_EQ(Get(test_.session, {.resources = {"ksvc"}, .output = "name"}), 0);
  EXPECT_EQ(Out(), "service.serving.knative.dev/hello\n");
}

TEST_F(VerbsTest, DescribeShowsTheObjectAndItsEvents) {
  api_.Put(kServices + "/hello", Service("False", "image not found"));
  api_.Put("/api/v1/namespaces/default/events/e1", {{"metadata", {{"name", "e1"}}},
                                                    {"type", "Warning"},
                                                    {"reason", "Failed"},
                                                    {"message", "no image"}});
  EXPECT_EQ(DescribeResources(test_.session, {.resources = {"ksvc", "hello"}}), 0);
  const std::string out = Out();
  EXPECT_THAT(out, HasSubstr("image not found"));
  EXPECT_THAT(out, HasSubstr("no image"));
  EXPECT_EQ(DescribeResources(test_.session, {.resources = {"ksvc", "nope"}}), 1);
}

// ---- delete and wait

TEST_F(VerbsTest, DeleteWaitsUntilItIsGone) {
  api_.Put(kServices + "/hello", Service("True"));
  EXPECT_EQ(Delete(test_.session, {.resources = {"ksvc", "hello"}}), 0) << Err();
  EXPECT_EQ(Out(), "service.serving.knative.dev \"hello\" deleted\n");
  EXPECT_TRUE(api_.Get(kServices + "/hello").is_null());
}

TEST_F(VerbsTest, DeleteOfWhatIsNotThere) {
  EXPECT_EQ(Delete(test_.session, {.resources = {"ksvc/hello"}}), 1);
  EXPECT_EQ(Err(), "error: \"hello\" not found\n");
  EXPECT_EQ(Delete(test_.session, {.resources = {"ksvc/hello"}, .ignore_not_found = true}), 0);
}

TEST_F(VerbsTest, DeleteNeverGuessesThatAllAreMeant) {
  api_.Put(kServices + "/hello", Service("True"));
  EXPECT_EQ(Delete(test_.session, {.resources = {"ksvc"}}), 1);
  EXPECT_FALSE(api_.Get(kServices + "/hello").is_null());
  EXPECT_EQ(Delete(test_.session, {.resources = {"ksvc"}, .all = true}), 0);
  EXPECT_TRUE(api_.Get(kServices + "/hello").is_null());
}

TEST_F(VerbsTest, DeleteByManifest) {
  EXPECT_EQ(ApplyText(kHello), 0);
  test_.in.clear();
  test_.in.str(kHello);
  EXPECT_EQ(Delete(test_.session, {.manifests = {.sources = {"-"}}}), 0) << Err();
  EXPECT_THAT(Out(), HasSubstr("service.serving.knative.dev \"hello\" deleted\n"));
}

TEST_F(VerbsTest, WaitForACondition) {
  api_.Put(kServices + "/hello", Service("Unknown"));
  api_.OnWatch([](FakeApi& server) { server.Store(kServices + "/hello", Service("True")); });
  EXPECT_EQ(Wait(test_.session, {.resources = {"ksvc/hello"}, .wish = "condition=Ready"}), 0)
      << Err();
  EXPECT_EQ(Out(), "service.serving.knative.dev/hello condition met\n");
}

TEST_F(VerbsTest, WaitSaysWhatItWaitedFor) {
  api_.Put(kServices + "/hello", Service("False", "crashed"));
  EXPECT_EQ(Wait(test_.session,
                 {.resources = {"ksvc/hello"}, .wish = "condition=Ready", .timeout = Millis(50)}),
            1);
  EXPECT_THAT(Err(), HasSubstr("Ready is False: R: crashed"));
  EXPECT_EQ(Wait(test_.session, {.resources = {"ksvc/hello"}, .wish = "condition"}), 1);
}

TEST_F(VerbsTest, WaitForWhatIsNotThereFailsAtOnce) {
  EXPECT_EQ(Wait(test_.session, {.resources = {"ksvc/hello"}, .wish = "condition=Ready"}), 1);
  EXPECT_EQ(Err(), "error: service.serving.knative.dev/hello: not found\n");
}

TEST_F(VerbsTest, WaitForDeletionLooksAtThoseThatWereThere) {
  api_.Put(kPods + "/p1", PodOf("p1", "2026-01-01T00:00:01Z"));
  api_.OnWatch([](FakeApi& server) {
    server.Store(kPods + "/p2", PodOf("p2", "2026-01-01T00:00:02Z"));
    server.Erase(kPods + "/p1");
  });
  EXPECT_EQ(Wait(test_.session, {.resources = {"pods"}, .wish = "delete", .selector = "a=b"}), 0)
      << Err();
  EXPECT_EQ(Wait(test_.session, {.resources = {"nodes"}, .wish = "delete"}), 0)
      << "nothing there is gone already";
}

// ---- logs

TEST_F(VerbsTest, LogsOfAPod) {
  api_.Script("GET " + kPods + "/p1/log", 200, "a\nb\n");
  EXPECT_EQ(Logs(test_.session, {.target = "p1",
                                 .container = "user",
                                 .timestamps = true,
                                 .tail = 5,
                                 .since = Millis(1500)}),
            0);
  EXPECT_EQ(Out(), "a\nb\n");
  EXPECT_EQ(api_.Requests().back(),
            "GET " + kPods + "/p1/log?container=user&timestamps=true&tailLines=5&sinceSeconds=2");
  EXPECT_EQ(Logs(test_.session, {.target = "pod/nope"}), 1);
}

TEST_F(VerbsTest, LogsOfAServiceAreItsNewestInstances) {
  api_.Put(kServices + "/hello", Service("True"));
  api_.Put(kPods + "/old", PodOf("old", "2026-01-01T00:00:01Z"));
  api_.Put(kPods + "/new", PodOf("new", "2026-01-01T00:00:02Z"));
  api_.Script("GET " + kPods + "/new/log", 200, "newest\n");
  EXPECT_EQ(Logs(test_.session, {.target = "ksvc/hello"}), 0) << Err();
  EXPECT_EQ(Out(), "newest\n");
}

TEST_F(VerbsTest, LogsOfAServiceAtZeroSaySo) {
  api_.Put(kServices + "/hello", Service("True"));
  EXPECT_EQ(Logs(test_.session, {.target = "ksvc/hello"}), 0);
  EXPECT_THAT(Err(), HasSubstr("service.serving.knative.dev/hello is scaled to zero"));
  EXPECT_EQ(Logs(test_.session, {.target = "ksvc/nope"}), 1);
  EXPECT_EQ(Logs(test_.session, {.target = "node/n1"}), 1);
}

TEST_F(VerbsTest, FollowingAServiceAtZeroWaitsForItsInstance) {
  api_.Put(kServices + "/hello", Service("True"));
  api_.OnWatch(
      [](FakeApi& server) { server.Store(kPods + "/p1", PodOf("p1", "2026-01-01T00:00:01Z")); });
  // The instance's log fails in a way that ends the following: the test's way out.
  api_.Script("GET " + kPods + "/p1/log", 500, R"({"kind":"Status","message":"enough"})");
  EXPECT_EQ(Logs(test_.session, {.target = "ksvc/hello", .follow = true}), 1);
  EXPECT_THAT(Err(), testing::AllOf(HasSubstr("waiting for one"), HasSubstr("enough")));
}

}  // namespace
}  // namespace updraft::cli
