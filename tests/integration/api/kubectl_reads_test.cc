// get, describe, explain, wait and watch.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "core/api/meta.h"
#include "tests/integration/api/kubectl_fixture.h"

namespace updraft::controller {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::MatchesRegex;

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

TEST_P(KubectlTest, DiscoveryAndVersion) {
  EXPECT_THAT(Ok({"api-resources"}),
              AllOf(HasSubstr("kservice,ksvc"), HasSubstr("serving.knative.dev/v1"),
                    HasSubstr("configmaps")));
  EXPECT_THAT(Ok({"api-versions"}),
              HasSubstr("serving.knative.dev/v1\nserving.knative.dev/v1beta1\nv1\n"));
  EXPECT_THAT(Ok({"version"}), HasSubstr("updraft"));
  EXPECT_EQ(Ok({"get", "--raw", "/readyz"}), "ok");
}

}  // namespace
}  // namespace updraft::controller
