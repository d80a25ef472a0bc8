// apply, create, label, patch, replace, edit, diff and delete, and what is said of a manifest that is wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdio.h>

#include <filesystem>
#include <string>

#include "core/api/access.h"
#include "core/api/meta.h"
#include "tests/integration/api/kubectl_fixture.h"

namespace updraft::controller {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

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

}  // namespace
}  // namespace updraft::controller
