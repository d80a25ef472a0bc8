#include "controller/reconcile/route.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/reconcile/domains.h"
#include "controller/reconcile/host_rules.h"
#include "tests/unit/controller/reconcile/builders.h"

namespace updraft::controller {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

const ServingConfig kConfig{.http_port = 8080};

Json ReadyConfiguration(const std::string& latest = "hello-00001") {
  Json configuration = ReadyObject(ConfigurationObject());
  configuration["status"]["latestReadyRevisionName"] = latest;
  configuration["status"]["latestCreatedRevisionName"] = latest;
  return configuration;
}

RouteInputs Inputs(Json route = RouteObject(), bool programmed = true) {
  return {.route = Share(std::move(route)),
          .configurations = {{"hello", Share(ReadyConfiguration())}},
          .revisions = {{"hello-00001", Share(ReadyObject(RevisionObject()))}},
          .programmed = [programmed](std::string_view) { return programmed; }};
}
ReconcilePlan Reconcile(const RouteInputs& in) { return ReconcileRoute(in, kConfig, kNow); }

// The route as it stands once it is ready, and the Service that stands for it.
Json ReadyRoute() { return Written(Reconcile(Inputs()), "routes/hello"); }
Json Placeholder(const std::string& name = "hello") {
  Json service = Written(Reconcile(Inputs()), "core services/hello");
  service["metadata"]["name"] = name;
  service["metadata"]["uid"] = name + "-uid";
  return service;
}

TEST(RouteTest, AssignsTrafficMakesUrlsAndThePlaceholder) {
  const ReconcilePlan plan = Reconcile(Inputs());
  EXPECT_THAT(Writes(plan), ElementsAre("create core services/hello", "update routes/hello"));
  EXPECT_THAT(Events(plan), ElementsAre("Created: Created placeholder service \"hello\""));
  const Json route = Written(plan, "routes/hello");
  EXPECT_EQ(ConditionText(route),
            "AllTrafficAssigned=True CertificateProvisioned=True(TLSNotEnabled) IngressReady=True "
            "Ready=True");
  EXPECT_EQ(MessageOf(route, "CertificateProvisioned"), "external-domain-tls is not enabled");
  EXPECT_EQ(route["status"]["url"], "http://hello.default.localhost:8080");
  EXPECT_EQ(route["status"]["address"], (Json{{"url", "http://hello.default.svc.cluster.local"}}));
  EXPECT_EQ(route["status"]["traffic"],
            (Json{{{"latestRevision", true}, {"percent", 100}, {"revisionName", "hello-00001"}}}));
  EXPECT_EQ(route["status"]["observedGeneration"], 1);
}

TEST(RouteTest, ASecondLookFindsNothingToDo) {
  RouteInputs in = Inputs(ReadyRoute());
  in.services["hello"] = Share(Placeholder());
  EXPECT_EQ(Reconcile(in), ReconcilePlan{});
}

TEST(RouteTest, OnPort80UrlsHaveNoPort) {
  const ReconcilePlan plan = ReconcileRoute(Inputs(), ServingConfig{.domain = "example.com"}, kNow);
  EXPECT_EQ(Written(plan, "routes/hello")["status"]["url"], "http://hello.default.example.com");
}

TEST(RouteTest, NamesFollowTheConfiguration) {
  const auto url = [](const ServingConfig& config, const Json& route) {
    const ReconcilePlan plan = ReconcileRoute(Inputs(route), config, kNow);
    return Written(plan, "routes/hello")["status"].value("url", "none");
  };
  ServingConfig config;
  config.domains = *api::DomainConfig::Parse({{"example.com", ""},
                                              {"example.org", "selector: {app: nonprofit}"},
                                              {"svc.cluster.local", "selector: {app: secret}"}});
  Json route = RouteObject();
  EXPECT_EQ(url(config, route), "http://hello.default.example.com");
  route["metadata"]["labels"]["app"] = "nonprofit";
  EXPECT_EQ(url(config, route), "http://hello.default.example.org");
  route["metadata"]["labels"]["app"] = "secret";
  EXPECT_EQ(url(config, route), "http://hello.default.svc.cluster.local");
  route["metadata"]["labels"]["app"] = "x";
  config.network = *api::NetworkConfig::Parse(
      {{"domain-template", "{{.Name}}-{{.Namespace}}-{{index .Labels \"app\"}}.{{.Domain}}"},
       {"default-external-scheme", "https"}});
  EXPECT_EQ(url(config, route), "https://hello-default-x.example.com");
  config.network = *api::NetworkConfig::Parse(
      {{"domain-template", "{{.Name}}.{{index .Annotations \"sub\"}}.{{.Domain}}"}});
  const ReconcilePlan plan = ReconcileRoute(Inputs(route), config, kNow);
  EXPECT_THAT(
      Written(plan, "routes/hello").dump(),
      testing::HasSubstr("domain name error: invalid domain name \\\"hello..example.com\\\": "
                         "url: Invalid value: \\\"hello..example.com\\\": a lowercase"));
}

TEST(RouteTest, TagsAreNamedByTheTemplate) {
  ServingConfig config;
  config.network = *api::NetworkConfig::Parse({{"tag-template", "{{.Name}}-of-{{.Tag}}"}});
  EXPECT_EQ(HostLabel(RouteObject(), "blue", config), "hello-of-blue");
  EXPECT_EQ(ClusterHost(RouteObject(), "blue", config), "hello-of-blue.default.svc.cluster.local");
  EXPECT_EQ(*ExternalHost(RouteObject(), "blue", config), "hello-of-blue.default.localhost");
}

TEST(RouteTest, ItIsReadyOnlyOnceActivatorsRouteByIt) {
  const Json route = Written(Reconcile(Inputs(RouteObject(), false)), "routes/hello");
  EXPECT_EQ(ConditionText(route),
            "AllTrafficAssigned=True CertificateProvisioned=True(TLSNotEnabled) "
            "IngressReady=Unknown(IngressNotConfigured) Ready=Unknown(IngressNotConfigured)");
  EXPECT_EQ(route["status"]["traffic"][0]["revisionName"], "hello-00001")
      << "so that they can be told";

  std::string asked;
  RouteInputs in = Inputs(route);
  in.programmed = [&asked](std::string_view fingerprint) {
    asked = fingerprint;
    return true;
  };
  EXPECT_TRUE(api::IsConditionTrue(Written(Reconcile(in), "routes/hello"), "Ready"));
  EXPECT_EQ(asked, Fingerprint("default", HostRulesOf(route, kConfig)));
}

TEST(RouteTest, WhatWasProgrammedStaysReadyWhenNobodyKnowsAnyMore) {
  RouteInputs in = Inputs(ReadyRoute(), false);
  in.services["hello"] = Share(Placeholder());
  EXPECT_EQ(Reconcile(in), ReconcilePlan{});
}

TEST(RouteTest, NewTrafficMakesItUnreadyUntilActivatorsFollow) {
  RouteInputs in = Inputs(ReadyRoute(), false);
  in.services["hello"] = Share(Placeholder());
  in.configurations["hello"] = Share(ReadyConfiguration("hello-00002"));
  in.revisions["hello-00002"] = Share(ReadyObject(RevisionObject("hello-00002", 2)));
  const ReconcilePlan plan = Reconcile(in);
  EXPECT_THAT(Writes(plan), ElementsAre("update routes/hello"));
  const Json route = Written(plan, "routes/hello");
  EXPECT_EQ(api::ConditionOf(route, "Ready")->reason, "IngressNotConfigured");
  EXPECT_EQ(route["status"]["traffic"][0]["revisionName"], "hello-00002");
}

TEST(RouteTest, ANewRevisionThatIsNotReadyLeavesTheTrafficWhereItIs) {
  Json route = ReadyRoute();
  route["spec"]["traffic"] = {
      {{"revisionName", "hello-00002"}, {"latestRevision", false}, {"percent", 100}}};
  route["metadata"]["generation"] = 2;
  RouteInputs in = Inputs(route);
  in.services["hello"] = Share(Placeholder());
  in.revisions["hello-00002"] =
      Share(ReadyObject(RevisionObject("hello-00002", 2), "False", "ExitCode1"));
  const Json written = Written(Reconcile(in), "routes/hello");
  EXPECT_EQ(MessageOf(written, "Ready"), "Revision \"hello-00002\" failed to become ready.");
  EXPECT_EQ(api::ConditionOf(written, "IngressReady")->reason, "IngressNotConfigured")
      << "for this generation";
  EXPECT_EQ(written["status"]["traffic"][0]["revisionName"], "hello-00001");
  EXPECT_EQ(written["status"]["observedGeneration"], 2);
}

TEST(RouteTest, TagsHaveHostsUrlsAndPlaceholders) {
  Json route = RouteObject();
  route["spec"]["traffic"] = {
      {{"latestRevision", true}, {"percent", 100}, {"configurationName", "hello"}},
      {{"revisionName", "hello-00001"},
       {"latestRevision", false},
       {"percent", 0},
       {"tag", "blue"}}};
  const ReconcilePlan plan = Reconcile(Inputs(route));
  EXPECT_THAT(Writes(plan), ElementsAre("create core services/hello",
                                        "create core services/blue-hello", "update routes/hello"));
  EXPECT_EQ(Written(plan, "routes/hello")["status"]["traffic"][1],
            (Json{{"latestRevision", false},
                  {"percent", 0},
                  {"revisionName", "hello-00001"},
                  {"tag", "blue"},
                  {"url", "http://blue-hello.default.localhost:8080"}}));
}

TEST(RouteTest, APlaceholderKeepsTheLabelsAndAnnotationsThatItsRouteLoses) {
  Json route = ReadyRoute();
  route["metadata"]["labels"]["team"] = "blue";
  Json placeholder = Placeholder();
  placeholder["metadata"]["labels"]["team"] = "red";
  placeholder["metadata"]["labels"]["juicy"] = "yes";
  placeholder["metadata"]["annotations"]["juicy"] = "yes";
  RouteInputs in = Inputs(route);
  in.services["hello"] = Share(placeholder);
  const Json updated = Written(Reconcile(in), "core services/hello");
  EXPECT_EQ(updated["metadata"]["labels"]["team"], "blue");
  EXPECT_EQ(updated["metadata"]["labels"]["juicy"], "yes");
  EXPECT_EQ(updated["metadata"]["annotations"]["juicy"], "yes");
}

TEST(RouteTest, APlaceholderOfATagThatIsGoneIsDeleted) {
  RouteInputs in = Inputs(ReadyRoute());
  in.services["hello"] = Share(Placeholder());
  in.services["blue-hello"] = Share(Placeholder("blue-hello"));
  EXPECT_THAT(Writes(Reconcile(in)), ElementsAre("delete core services/blue-hello"));
}

TEST(RouteTest, PlaceholdersFollowLabelsAndAnnotations) {
  Json route = ReadyRoute();
  route["metadata"]["labels"]["team"] = "blue";
  route["metadata"]["annotations"]["note"] = "x";
  RouteInputs in = Inputs(route);
  Json placeholder = Placeholder();
  placeholder["metadata"]["labels"][label::kVisibility] = kClusterLocal;
  in.services["hello"] = Share(placeholder);
  const Json updated = Written(Reconcile(in), "core services/hello");
  EXPECT_EQ(updated["metadata"]["labels"], (Json{{"team", "blue"},
                                                 {label::kService, "hello"},
                                                 {label::kRoute, "hello"},
                                                 {label::kVisibility, kClusterLocal}}));
  EXPECT_EQ(updated["metadata"]["annotations"], (Json{{"note", "x"}}));
}

TEST(RouteTest, AForeignServiceOfItsNameIsInTheWay) {
  Json foreign = Placeholder();
  foreign["metadata"]["ownerReferences"][0]["uid"] = "other";
  foreign["metadata"]["ownerReferences"][0]["name"] = "other";
  RouteInputs in = Inputs();
  in.services["hello"] = Share(foreign);
  const ReconcilePlan plan = Reconcile(in);
  EXPECT_THAT(Writes(plan), ElementsAre("update routes/hello"));
  const Json route = Written(plan, "routes/hello");
  EXPECT_EQ(api::ConditionOf(route, "IngressReady")->reason, "NotOwned");
  EXPECT_EQ(MessageOf(route, "Ready"),
            "There is an existing placeholder Service \"hello\" that we do not own.");
  EXPECT_FALSE(route["status"].contains("traffic")) << "its hosts belong to another";
}

TEST(RouteTest, ClusterLocalRoutesHaveNoExternalUrl) {
  Json route = RouteObject();
  route["metadata"]["labels"][label::kVisibility] = kClusterLocal;
  const Json written = Written(Reconcile(Inputs(route)), "routes/hello");
  EXPECT_EQ(written["status"]["url"], "http://hello.default.svc.cluster.local");
}

TEST(RouteTest, AHostThatIsNoValidNameIsAnErrorInTheConfig) {
  Json route = RouteObject();
  route["spec"]["traffic"][0]["tag"] = std::string(60, 'x');
  const Json written = Written(Reconcile(Inputs(route)), "routes/hello");
  EXPECT_EQ(api::ConditionOf(written, "AllTrafficAssigned")->reason, "ErrorConfig");
  EXPECT_FALSE(written["status"].contains("traffic"));
}

// ---- marks on revisions and configurations

JsonPtr Marked(const std::string& name, int64_t generation, const std::string& routes,
               const std::string& state) {
  Json revision = ReadyObject(RevisionObject(name, generation));
  revision["metadata"]["labels"][label::kRoutingState] = state;
  if (routes.empty()) {
    revision["metadata"]["annotations"].erase(annotation::kRoutes);
  } else {
    revision["metadata"]["annotations"][annotation::kRoutes] = routes;
  }
  return Share(revision);
}

TEST(RouteTest, RevisionsThatItLeadsToAreMarkedActive) {
  RouteInputs in = Inputs(ReadyRoute());
  in.services["hello"] = Share(Placeholder());
  in.revisions["hello-00001"] = Marked("hello-00001", 1, "", "pending");
  const ReconcilePlan plan = Reconcile(in);
  EXPECT_THAT(Writes(plan), ElementsAre("update revisions/hello-00001"));
  const Json revision = Written(plan, "revisions/hello-00001");
  EXPECT_EQ(api::LabelOf(revision, label::kRoutingState), "active");
  EXPECT_EQ(api::AnnotationOf(revision, annotation::kRoutes), "hello");
  EXPECT_EQ(api::AnnotationOf(revision, annotation::kRoutingStateModified), "2026-03-01T12:00:00Z");
}

TEST(RouteTest, ThoseThatItLeadsToNoMoreAreMarkedReserveOnceItIsSettled) {
  Json route = ReadyRoute();
  RouteInputs in = Inputs(route);
  in.services["hello"] = Share(Placeholder());
  in.revisions["hello-00000"] = Marked("hello-00000", 0, "hello", "active");
  const ReconcilePlan plan = Reconcile(in);
  EXPECT_THAT(Writes(plan), ElementsAre("update revisions/hello-00000"));
  EXPECT_EQ(api::LabelOf(Written(plan, "revisions/hello-00000"), label::kRoutingState), "reserve");
  EXPECT_FALSE(api::HasAnnotation(Written(plan, "revisions/hello-00000"), annotation::kRoutes));

  // Not while activators may still lead there.
  in.configurations["hello"] = Share(ReadyConfiguration("hello-00002"));
  in.revisions["hello-00002"] = Marked("hello-00002", 2, "hello", "active");
  in.programmed = [](std::string_view) { return false; };
  EXPECT_THAT(Writes(Reconcile(in)), ElementsAre("update routes/hello"));
}

TEST(RouteTest, OtherRoutesMarksStay) {
  RouteInputs in = Inputs(ReadyRoute());
  in.services["hello"] = Share(Placeholder());
  in.revisions["shared"] = Marked("shared", 0, "another,hello", "active");
  const Json revision = Written(Reconcile(in), "revisions/shared");
  EXPECT_EQ(api::AnnotationOf(revision, annotation::kRoutes), "another");
  EXPECT_EQ(api::LabelOf(revision, label::kRoutingState), "active");
}

TEST(RouteTest, TheNewestRevisionIsMarkedBeforeItIsReady) {
  Json configuration = ReadyConfiguration();
  configuration["status"]["latestCreatedRevisionName"] = "hello-00002";
  RouteInputs in = Inputs(ReadyRoute());
  in.services["hello"] = Share(Placeholder());
  in.configurations["hello"] = Share(configuration);
  in.revisions["hello-00002"] = Marked("hello-00002", 2, "", "pending");
  EXPECT_THAT(Writes(Reconcile(in)), ElementsAre("update revisions/hello-00002"));
}

// ---- host rules

std::vector<std::string> Hosts(const Json& route) {
  std::vector<std::string> texts;
  for (const HostRule& rule : HostRulesOf(route, kConfig)) {
    std::string text = rule.host + (rule.cluster_local ? " local" : "");
    for (const RevisionShare& share : rule.shares)
      text += " " + share.revision + "=" + std::to_string(share.percent);
    texts.push_back(text);
  }
  return texts;
}

TEST(HostRulesTest, EveryHostOfARouteHasARule) {
  Json route = ReadyRoute();
  route["status"]["traffic"].push_back({{"revisionName", "hello-00000"},
                                        {"percent", 0},
                                        {"tag", "old"},
                                        {"url", "http://old-hello.default.localhost:8080"}});
  EXPECT_THAT(
      Hosts(route),
      ElementsAre("hello.default.localhost hello-00001=100", "hello.default local hello-00001=100",
                  "hello.default.svc local hello-00001=100",
                  "hello.default.svc.cluster.local local hello-00001=100",
                  "old-hello.default.localhost hello-00000=100",
                  "old-hello.default local hello-00000=100",
                  "old-hello.default.svc local hello-00000=100",
                  "old-hello.default.svc.cluster.local local hello-00000=100"));
}

TEST(HostRulesTest, ClusterLocalRoutesHaveNoExternalHost) {
  Json route = ReadyRoute();
  route["status"]["url"] = "http://hello.default.svc.cluster.local";
  EXPECT_THAT(Hosts(route), ElementsAre("hello.default local hello-00001=100",
                                        "hello.default.svc local hello-00001=100",
                                        "hello.default.svc.cluster.local local hello-00001=100"));
}

TEST(HostRulesTest, ARouteWithoutTrafficHasNone) { EXPECT_THAT(Hosts(RouteObject()), IsEmpty()); }

}  // namespace
}  // namespace updraft::controller
