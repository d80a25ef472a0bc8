#include "controller/reconcile/triggers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/unit/controller/reconcile/builders.h"

namespace updraft::controller {
namespace {

using testing::Contains;
using testing::IsSupersetOf;
using testing::Not;
using testing::UnorderedElementsAre;

class TriggersTest : public testing::Test {
 protected:
  std::set<std::string> Change(const char* resource, JsonPtr object, JsonPtr previous,
                               Change::Type type) {
    const controller::Change change{
        .type = type, .object = object, .previous = previous, .key = KeyOf(*object, resource)};
    index_.Update(change);
    std::set<std::string> texts;
    for (const WorkKey& key : TriggeredBy(change, index_)) {
      texts.insert((key.work == Work::kGarbage ? "garbage " : "") + ShortKey(key.object));
    }
    return texts;
  }
  std::set<std::string> Add(const char* resource, Json object) {
    return Change(resource, Share(std::move(object)), nullptr, Change::Type::kAdded);
  }
  std::set<std::string> Modify(const char* resource, Json before, Json after) {
    return Change(resource, Share(std::move(after)), Share(std::move(before)),
                  Change::Type::kModified);
  }
  std::set<std::string> Remove(const char* resource, Json object) {
    const JsonPtr shared = Share(std::move(object));
    return Change(resource, shared, shared, Change::Type::kDeleted);
  }

  ObjectIndex index_;
};

TEST_F(TriggersTest, AnObjectAndItsController) {
  EXPECT_THAT(Add(resource::kServices, ServiceObject()), UnorderedElementsAre("services/hello"));
  EXPECT_THAT(Add(resource::kConfigurations, ConfigurationObject()),
              IsSupersetOf({"configurations/hello", "services/hello"}));
}

TEST_F(TriggersTest, DomainMappingsFollowTheClaimOfTheirName) {
  Add(resource::kDomainMappings,
      Object("serving.knative.dev/v1beta1", "DomainMapping", "www.example.com"));
  Json claim =
      Object("networking.internal.knative.dev/v1alpha1", "ClusterDomainClaim", "www.example.com");
  EXPECT_THAT(Add(resource::kDomainClaims, claim), Contains("domainmappings/www.example.com"));
  EXPECT_THAT(Remove(resource::kDomainClaims, claim), Contains("domainmappings/www.example.com"));
}

TEST_F(TriggersTest, DomainMappingsFollowTheirRouteTheirSecretAndTheirRivals) {
  Json mapping = Object("serving.knative.dev/v1beta1", "DomainMapping", "www.example.com");
  mapping["spec"]["ref"] = {
      {"apiVersion", kServingApiVersion}, {"kind", "Service"}, {"name", "hello"}};
  mapping["spec"]["tls"] = {{"secretName", "cert"}};
  EXPECT_THAT(Add(resource::kDomainMappings, mapping), Contains("domainmappings/www.example.com"));
  EXPECT_THAT(Add(resource::kRoutes, RouteObject()), Contains("domainmappings/www.example.com"));
  EXPECT_THAT(Add(resource::kSecrets, Object("v1", "Secret", "cert")),
              Contains("domainmappings/www.example.com"));
  EXPECT_THAT(Add(resource::kSecrets, Object("v1", "Secret", "other")),
              Not(Contains("domainmappings/www.example.com")));
  Json rival = mapping;
  rival["metadata"]["namespace"] = "other";
  rival["metadata"]["uid"] = "rival-uid";
  EXPECT_EQ(index_.MappingsCalled("www.example.com").size(), 1u);
  Add(resource::kDomainMappings, rival);
  EXPECT_EQ(index_.MappingsCalled("www.example.com").size(), 2u);
  Remove(resource::kDomainMappings, rival);
  EXPECT_EQ(index_.MappingsCalled("www.example.com").size(), 1u);
  Json claim = Object("networking.internal.knative.dev/v1alpha1", "ClusterDomainClaim",
                      "www.example.com");
  claim["metadata"].erase("namespace");
  claim["spec"]["namespace"] = "gone";
  EXPECT_THAT(Add(resource::kDomainClaims, claim), Contains("domainmappings/www.example.com"));
  claim["metadata"]["name"] = "other.example.com";
  EXPECT_THAT(Add(resource::kDomainClaims, claim), Contains("domainmappings/other.example.com"));
}

TEST_F(TriggersTest, RoutesFollowTheirTargets) {
  Add(resource::kRoutes, RouteObject());
  Json other = RouteObject("other");
  other["spec"]["traffic"] = {{{"revisionName", "hello-00001"}, {"percent", 100}}};
  Add(resource::kRoutes, other);
  const Json configuration = ConfigurationObject();
  EXPECT_THAT(Modify(resource::kConfigurations, configuration, ReadyObject(configuration)),
              Contains("routes/hello"));
  const auto triggered = Add(resource::kRevisions, RevisionObject());
  EXPECT_THAT(triggered, Contains("routes/other"));
  EXPECT_THAT(triggered, Not(Contains("routes/hello")));
}

TEST_F(TriggersTest, WhoWaitsForANameIsToldWhenItIsFree) {
  Json service = ServiceObject("late");
  service["spec"]["template"]["metadata"]["name"] = "late-blue";
  Add(resource::kServices, service);
  Json revision = RevisionObject("late-blue", 1, "other");
  EXPECT_THAT(Add(resource::kRevisions, revision), Contains("services/late"));
  EXPECT_THAT(Remove(resource::kRevisions, revision), Contains("services/late"));
  EXPECT_THAT(Remove(resource::kConfigurations, ConfigurationObject()), Contains("services/hello"));
}

TEST_F(TriggersTest, DependentsAreLookedAtWhenTheirOwnerGoes) {
  Add(resource::kServices, ServiceObject());
  Add(resource::kConfigurations, ConfigurationObject());
  EXPECT_THAT(Remove(resource::kServices, ServiceObject()),
              Contains("garbage configurations/hello"));
}

TEST_F(TriggersTest, AnOwnerIsLookedAtWhenADependentGoes) {
  Add(resource::kServices, ServiceObject());
  Add(resource::kConfigurations, ConfigurationObject());
  EXPECT_THAT(Remove(resource::kConfigurations, ConfigurationObject()),
              Contains("garbage services/hello"));
}

TEST_F(TriggersTest, ADependentThatWasOrphanedTellsItsFormerOwner) {
  Add(resource::kServices, ServiceObject());
  Json orphan = ConfigurationObject();
  orphan["metadata"].erase("ownerReferences");
  EXPECT_THAT(Modify(resource::kConfigurations, ConfigurationObject(), orphan),
              Contains("garbage services/hello"));
}

TEST_F(TriggersTest, NewDependentsAndDeletionsAreLookedAt) {
  EXPECT_THAT(Add(resource::kConfigurations, ConfigurationObject()),
              Contains("garbage configurations/hello"));
  const Json service = ServiceObject();
  EXPECT_THAT(
      Modify(resource::kServices, service, *MarkDeleted(service, Propagation::kForeground, kNow)),
      Contains("garbage services/hello"));
}

TEST_F(TriggersTest, NamespacesHearOfWhatGoes) {
  EXPECT_THAT(Remove(resource::kServices, ServiceObject()), Contains("core namespaces/default"));
}

TEST_F(TriggersTest, PlaceholdersLeadToTheirRoute) {
  const Json placeholder = Owned(Object("v1", "Service", "blue-hello"), RouteObject());
  EXPECT_THAT(Add(resource::kCoreServices, placeholder), Contains("routes/hello"));
}

TEST(ObjectIndexTest, ForgetsWhatIsGone) {
  ObjectIndex index;
  const JsonPtr configuration = Share(ConfigurationObject());
  const ObjectKey key = KeyOf(*configuration, resource::kConfigurations);
  index.Update({.type = Change::Type::kAdded, .object = configuration, .key = key});
  EXPECT_TRUE(index.Alive("Configuration-hello-uid"));
  EXPECT_EQ(index.DependentsOf("Service-hello-uid").size(), 1u);
  EXPECT_EQ(index.MarkedWith("default", "hello").size(), 1u);
  index.Update({.type = Change::Type::kDeleted,
                .object = configuration,
                .previous = configuration,
                .key = key});
  EXPECT_FALSE(index.Alive("Configuration-hello-uid"));
  EXPECT_TRUE(index.DependentsOf("Service-hello-uid").empty());
  EXPECT_TRUE(index.MarkedWith("default", "hello").empty());
}

}  // namespace
}  // namespace updraft::controller
