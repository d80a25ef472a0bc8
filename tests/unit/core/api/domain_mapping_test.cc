// What Knative says of DomainMappings.
#include <gtest/gtest.h>

#include "core/api/kinds.h"
#include "core/api/validation.h"
#include "tests/unit/core/api/builders.h"

namespace updraft::api {
namespace {

Json Mapping(const std::string& name, const std::string& ref) {
  Json mapping = Json::object();
  mapping["metadata"] = {{"name", name}, {"namespace", "default"}};
  mapping["spec"]["ref"] = Json::parse(ref);
  return mapping;
}

std::string VerdictOn(Json mapping) {
  const ServingConfig config;
  const WriteContext context{.config = &config, .user = ""};
  const Kind& kind = *FindResource("serving.knative.dev", "v1beta1", "domainmappings");
  SetDefaults(kind, mapping, context);
  return ValidateServing(kind, mapping, context).Text();
}

constexpr char kRef[] =
    R"({"apiVersion": "serving.knative.dev/v1", "kind": "Service", "name": "hello"})";

TEST(DomainMappingApiTest, IsFoundByItsNames) {
  for (const char* name :
       {"domainmappings", "domainmapping", "dm", "domainmapping.serving.knative.dev"}) {
    ASSERT_NE(FindByUserName(name), nullptr) << name;
    EXPECT_EQ(FindByUserName(name)->ApiVersion(), "serving.knative.dev/v1beta1");
  }
}

TEST(DomainMappingApiTest, ItsNameIsADomainName) {
  EXPECT_EQ(VerdictOn(Mapping("www.example.com", kRef)), "");
  EXPECT_EQ(VerdictOn(Mapping("example", kRef)),
            "invalid name \"example\": name: Invalid value: \"example\": should be a domain with "
            "at least two "
            "segments separated by dots: metadata.name");
  EXPECT_EQ(VerdictOn(Mapping("a.svc.cluster.local", kRef)),
            "invalid name \"a.svc.cluster.local\": must not be a subdomain of cluster local domain "
            "\"cluster.local\": metadata.name");
  EXPECT_TRUE(
      VerdictOn(Mapping("Www.example.com", kRef))
          .starts_with(
              "invalid name \"Www.example.com\": name: Invalid value: \"Www.example.com\": a "
              "lowercase RFC 1123 subdomain must consist of"));
  Json generated = Mapping("www.example.com", kRef);
  generated["metadata"]["generateName"] = "www-";
  EXPECT_EQ(VerdictOn(generated), "must not set the field(s): metadata.generateName");
}

TEST(DomainMappingApiTest, ItsReferenceIsWholeAndWithinTheNamespace) {
  EXPECT_EQ(VerdictOn(Mapping("www.example.com", "{}")),
            "missing field(s): spec.ref.apiVersion, spec.ref.kind, spec.ref.name");
  EXPECT_EQ(VerdictOn(Mapping("www.example.com",
                              R"({"apiVersion": "serving.knative.dev/v1", "kind": "Service",
                                                   "name": "hello", "namespace": "other"})")),
            "mismatched namespaces: spec.ref.namespace\nparent namespace: \"default\" does not "
            "match ref: \"other\"");
}

TEST(DomainMappingApiTest, ItsReferenceIsToItsOwnNamespaceByDefault) {
  const ServingConfig config;
  Json mapping = Mapping("www.example.com", kRef);
  SetDefaults(*FindByUserName("dm"), mapping, {.config = &config, .user = ""});
  EXPECT_EQ(mapping["spec"]["ref"]["namespace"], "default");
}

TEST(DomainMappingApiTest, ItRemembersWhoMadeAndChangedIt) {
  const ServingConfig config;
  Json mapping = Mapping("www.example.com", kRef);
  SetDefaults(*FindByUserName("dm"), mapping, {.config = &config, .user = "ann"});
  EXPECT_EQ(mapping["metadata"]["annotations"]["serving.knative.dev/creator"], "ann");
  Json changed = mapping;
  changed["metadata"]["annotations"]["serving.knative.dev/creator"] = "ben";
  const WriteContext update{.config = &config, .user = "ben", .old = &mapping};
  EXPECT_EQ(ValidateServing(*FindByUserName("dm"), changed, update).Text(),
            "annotation value is immutable: metadata.annotations.serving.knative.dev/creator");
}

}  // namespace
}  // namespace updraft::api
