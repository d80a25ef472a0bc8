// updraft's own commands, beside kubectl's: they print and do the same.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <functional>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "cli/client/verbs.h"
#include "tests/integration/api/kubectl_fixture.h"

namespace updraft::controller {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::MatchesRegex;

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

}  // namespace
}  // namespace updraft::controller
