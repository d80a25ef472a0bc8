#include "controller/reconcile/domain_mapping.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/reconcile/tls_secret.h"
#include "core/api/base64.h"
#include "tests/unit/controller/reconcile/builders.h"
#include "tests/unit/core/http/test_certificates.h"

namespace updraft::controller {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const ServingConfig kConfig{.http_port = 8080, .https_port = 8443};

Json MappingObject(const std::string& ref_kind = "Service") {
  Json mapping = Object("serving.knative.dev/v1beta1", "DomainMapping", "www.example.com");
  mapping["spec"]["ref"] = {{"apiVersion", kServingApiVersion},
                            {"kind", ref_kind},
                            {"name", "hello"},
                            {"namespace", "default"}};
  return mapping;
}
Json WithTls(Json mapping) {
  mapping["spec"]["tls"] = {{"secretName", "cert"}};
  return mapping;
}

Json AssignedRoute() {
  Json route = ReadyObject(RouteObject());
  route["status"]["url"] = "http://hello.default.localhost:8080";
  route["status"]["address"] = {{"url", "http://hello.default.svc.cluster.local"}};
  route["status"]["traffic"] = {
      {{"latestRevision", true}, {"percent", 90}, {"revisionName", "hello-00001"}},
      {{"percent", 10}, {"revisionName", "hello-00002"}},
      {{"percent", 0}, {"revisionName", "hello-00002"}, {"tag", "blue"}}};
  return route;
}

Json TlsSecret(const http::Pem& pem = http::MakePem({"www.example.com"})) {
  Json secret = Object("v1", "Secret", "cert");
  secret["type"] = "kubernetes.io/tls";
  secret["data"] = {{"tls.crt", api::EncodeBase64(pem.chain)},
                    {"tls.key", api::EncodeBase64(pem.key)}};
  return secret;
}

JsonPtr ClaimFor(const std::string& ns) {
  Json claim =
      Object("networking.internal.knative.dev/v1alpha1", "ClusterDomainClaim", "www.example.com");
  claim["metadata"].erase("namespace");
  claim["spec"]["namespace"] = ns;
  return Share(std::move(claim));
}

DomainMappingInputs Inputs(Json mapping = MappingObject(), bool programmed = true) {
  return {.mapping = Share(std::move(mapping)),
          .route = Share(AssignedRoute()),
          .claim = ClaimFor("default"),
          .programmed = [programmed](std::string_view) { return programmed; }};
}
// As it stands once nothing is left to do.
Json Settled(DomainMappingInputs in) {
  for (int pass = 0; pass < 3; ++pass) {
    const ReconcilePlan plan = ReconcileDomainMapping(in, kConfig, kNow);
    if (plan.writes.empty()) break;
    in.mapping = Share(Written(plan, "domainmappings/www.example.com"));
  }
  EXPECT_EQ(ReconcileDomainMapping(in, kConfig, kNow), ReconcilePlan{});
  return *in.mapping;
}

TEST(DomainMappingTest, LeadsANameToTheServicesRoute) {
  for (const char* kind : {"Service", "Route"}) {
    const Json mapping = Settled(Inputs(MappingObject(kind)));
    EXPECT_EQ(ConditionText(mapping),
              "CertificateProvisioned=True(TLSNotEnabled) DomainClaimed=True IngressReady=True "
              "Ready=True ReferenceResolved=True");
    EXPECT_EQ(mapping["status"]["url"], "http://www.example.com:8080");
    EXPECT_EQ(mapping["status"]["address"]["url"], "http://www.example.com:8080");
    const Json route = AssignedRoute();
    const v1::Route told = BuildMapping(mapping, &route, nullptr, kConfig);
    EXPECT_EQ(told.key(), "default/www.example.com");
    ASSERT_EQ(told.hosts_size(), 1);
    EXPECT_EQ(told.hosts(0).host(), "www.example.com");
    ASSERT_EQ(told.hosts(0).splits_size(), 2);
    EXPECT_EQ(told.hosts(0).splits(0).revision(), "default/hello-00001");
    EXPECT_EQ(told.hosts(0).splits(0).percent(), 90u);
    EXPECT_FALSE(told.has_certificate());
    EXPECT_FALSE(told.https_only());
  }
}

TEST(DomainMappingTest, IsReadyOnlyOnceActivatorsRouteByIt) {
  EXPECT_THAT(ConditionText(Settled(Inputs(MappingObject(), false))),
              HasSubstr("IngressReady=Unknown(IngressNotConfigured)"));
}

TEST(DomainMappingTest, WaitsForWhatItRefersTo) {
  DomainMappingInputs in = Inputs();
  in.route = nullptr;
  Json mapping = Settled(in);
  EXPECT_THAT(ConditionText(mapping), HasSubstr("ReferenceResolved=False(ResolveFailed)"));
  EXPECT_EQ(MessageOf(mapping, "ReferenceResolved"),
            "services.serving.knative.dev \"hello\" not found");

  in.route = Share(RouteObject());
  EXPECT_EQ(MessageOf(Settled(in), "ReferenceResolved"), "address not set for Service \"hello\"");

  Json odd = MappingObject("Deployment");
  odd["spec"]["ref"]["apiVersion"] = "apps/v1";
  EXPECT_EQ(MessageOf(Settled(Inputs(odd)), "ReferenceResolved"),
            "apps/v1, Kind=Deployment is not addressable");
  const Json unassigned = RouteObject();
  EXPECT_EQ(BuildMapping(Settled(Inputs()), &unassigned, nullptr, kConfig).hosts_size(), 0);
}

TEST(DomainMappingTest, ANameIsItsNamespacesByAClaim) {
  for (const JsonPtr& claim : {JsonPtr(), ClaimFor("other")}) {
    DomainMappingInputs in = Inputs();
    in.claim = claim;
    const Json mapping = Settled(in);
    EXPECT_THAT(ConditionText(mapping), HasSubstr("DomainClaimed=False(DomainAlreadyClaimed)"));
    EXPECT_EQ(MessageOf(mapping, "DomainClaimed"),
              "The domain name is already in use by another DomainMapping");
    const Json route = AssignedRoute();
    EXPECT_EQ(BuildMapping(mapping, &route, nullptr, kConfig).hosts_size(), 0);
  }
}

TEST(DomainMappingTest, AClaimIsMadeForTheFirstNamespaceAndGoesWithItsMapping) {
  ServingConfig making = kConfig;
  making.network.autocreate_cluster_domain_claims = true;
  DomainMappingInputs in = Inputs();
  in.claim = nullptr;
  ReconcilePlan plan = ReconcileDomainMapping(in, making, kNow);
  ASSERT_EQ(plan.writes.size(), 1U);
  const CreateObject made = std::get<CreateObject>(plan.writes[0]);
  EXPECT_EQ(made.key, (ObjectKey{resource::kDomainClaims, "", "www.example.com"}));
  EXPECT_EQ(made.object["spec"]["namespace"], "default");
  EXPECT_FALSE(made.object["metadata"].contains("namespace"));

  in.claim = Share(made.object);
  EXPECT_THAT(ConditionText(Written(ReconcileDomainMapping(in, making, kNow),
                                    "domainmappings/www.example.com")),
              HasSubstr("DomainClaimed=True"));
  in.claim = nullptr;
  in.asked_elsewhere = true;
  EXPECT_THAT(ConditionText(Written(ReconcileDomainMapping(in, making, kNow),
                                    "domainmappings/www.example.com")),
              HasSubstr("DomainClaimed=False(DomainAlreadyClaimed)"));

  const ObjectKey mapping{resource::kDomainMappings, "default", "www.example.com"};
  Json claim = made.object;
  claim["metadata"]["uid"] = "u";
  plan = WithoutDomainMapping(mapping, Share(claim));
  ASSERT_EQ(plan.writes.size(), 1U);
  EXPECT_EQ(std::get<DeleteObject>(plan.writes[0]).key, made.key);
  // Those that others made stay.
  EXPECT_EQ(WithoutDomainMapping(mapping, ClaimFor("default")), ReconcilePlan{});
  EXPECT_EQ(
      WithoutDomainMapping({resource::kDomainMappings, "other", "www.example.com"}, Share(claim)),
      ReconcilePlan{});
  EXPECT_EQ(WithoutDomainMapping(mapping, nullptr), ReconcilePlan{});
}

TEST(DomainMappingTest, NobodyTakesTheHostsOfAnotherNamespace) {
  const auto claimed = [](const std::string& name) {
    Json mapping = MappingObject();
    mapping["metadata"]["name"] = name;
    const ReconcilePlan plan = ReconcileDomainMapping(Inputs(mapping), kConfig, kNow);
    return ConditionText(Written(plan, "domainmappings/" + name)).find("DomainClaimed=True") !=
           std::string::npos;
  };
  EXPECT_FALSE(claimed("app.other.localhost"));
  EXPECT_TRUE(claimed("app.default.localhost"));
  EXPECT_TRUE(claimed("www.localhost"));
  EXPECT_TRUE(claimed("a.b.c.localhost"));
}

TEST(DomainMappingTest, ServesTheSecretsCertificate) {
  const http::Pem pem = http::MakePem({"www.example.com"});
  DomainMappingInputs in = Inputs(WithTls(MappingObject()));
  in.secret = Share(TlsSecret(pem));
  const Json mapping = Settled(in);
  EXPECT_THAT(ConditionText(mapping),
              HasSubstr("CertificateProvisioned=True(CertificateExternallyProvided)"));
  EXPECT_EQ(mapping["status"]["url"], "https://www.example.com:8443");
  const Json route = AssignedRoute();
  const v1::Route told = BuildMapping(mapping, &route, in.secret.get(), kConfig);
  EXPECT_EQ(told.certificate().chain(), pem.chain);
  EXPECT_EQ(told.certificate().private_key(), pem.key);

  const Json renewed = TlsSecret(http::MakePem({"www.example.com"}));
  EXPECT_NE(MappingFingerprint(BuildMapping(mapping, &route, &renewed, kConfig)),
            MappingFingerprint(told));
}

TEST(DomainMappingTest, SaysWhyACertificateIsOfNoUseAndNothingOfTheKey) {
  const auto complaint = [](std::shared_ptr<const Json> secret) {
    DomainMappingInputs in = Inputs(WithTls(MappingObject()));
    in.secret = std::move(secret);
    const Json mapping = Settled(in);
    EXPECT_THAT(ConditionText(mapping),
                HasSubstr("CertificateProvisioned=False(CertificateProvisionFailed)"));
    EXPECT_THAT(mapping.dump(), Not(HasSubstr("PRIVATE KEY")));
    const Json route = AssignedRoute();
    EXPECT_FALSE(BuildMapping(mapping, &route, in.secret.get(), kConfig).has_certificate());
    return MessageOf(mapping, "CertificateProvisioned");
  };
  EXPECT_EQ(complaint(nullptr), "secret \"cert\" not found");
  Json opaque = TlsSecret();
  opaque["type"] = "Opaque";
  EXPECT_EQ(complaint(Share(opaque)),
            "secret \"cert\" is of type \"Opaque\", not \"kubernetes.io/tls\"");
  Json foreign = TlsSecret();
  foreign["data"]["tls.key"] = TlsSecret(http::MakePem({"b"}))["data"]["tls.key"];
  EXPECT_EQ(complaint(Share(foreign)), "secret \"cert\": the private key is not the certificate's");
}

TEST(DomainMappingTest, TheAnnotationAsksForRedirectsOrTheConfiguration) {
  ServingConfig redirecting = kConfig;
  redirecting.network.http_protocol = api::NetworkConfig::HttpProtocol::kRedirected;
  const Json plain = Settled(Inputs());
  const Json target = AssignedRoute();
  EXPECT_FALSE(BuildMapping(plain, &target, nullptr, kConfig).https_only());
  EXPECT_TRUE(BuildMapping(plain, &target, nullptr, redirecting).https_only());
  Json enabled = plain;
  enabled["metadata"]["annotations"][annotation::kHttpProtocol] = "enabled";
  EXPECT_FALSE(BuildMapping(enabled, &target, nullptr, redirecting).https_only());

  Json mapping = Settled(Inputs());
  mapping["metadata"]["annotations"][annotation::kHttpProtocol] = "Redirected";
  const Json route = AssignedRoute();
  EXPECT_TRUE(BuildMapping(mapping, &route, nullptr, kConfig).https_only());
}

}  // namespace
}  // namespace updraft::controller
