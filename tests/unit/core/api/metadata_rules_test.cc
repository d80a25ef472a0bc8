// Knative's rules for the metadata of its kinds, with their exact texts (reference 1.2 and 1.6).
#include <gtest/gtest.h>

#include "core/api/meta.h"
#include "tests/unit/core/api/builders.h"

namespace updraft::api {
namespace {

struct NameCase {
  std::string name;
  std::string generate_name;
  std::string want;
};

// The same for a Service, a Configuration, a Route and a Revision.
TEST(MetadataTest, Names) {
  const std::vector<NameCase> cases = {
      {"hello", "", ""},
      {"hello-1", "", ""},
      {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "", ""},
      {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "", "not a DNS 1035 label: [must be no more than 63 characters]: metadata.name"},
      {"Hello", "", "not a DNS 1035 label: [a DNS-1035 label must consist of lower case alphanumeric characters or '-', "
       "start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or "
       "'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')]: metadata.name"},
      {"1a", "", "not a DNS 1035 label: [a DNS-1035 label must consist of lower case alphanumeric characters or '-', "
       "start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or "
       "'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')]: metadata.name"},
      {"a-", "", "not a DNS 1035 label: [a DNS-1035 label must consist of lower case alphanumeric characters or '-', "
       "start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or "
       "'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')]: metadata.name"},
      {"a_b", "", "not a DNS 1035 label: [a DNS-1035 label must consist of lower case alphanumeric characters or '-', "
       "start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or "
       "'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')]: metadata.name"},
      {"hello.world", "", "not a DNS 1035 label: [a DNS-1035 label must consist of lower case alphanumeric characters or '-', "
       "start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or "
       "'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')]: metadata.name"},
      {"", "", "name or generateName is required: metadata.name"},
      {"", "hello-", ""},
      {"", "hello", ""},
      {"", "Hello-", "not a DNS 1035 label prefix: [a DNS-1035 label must consist of lower case alphanumeric characters or "
       "'-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or "
       "'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')]: metadata.generateName"},
      {"", "1bad-", "not a DNS 1035 label prefix: [a DNS-1035 label must consist of lower case alphanumeric characters or "
       "'-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or "
       "'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')]: metadata.generateName"},
      {"", "-", "not a DNS 1035 label prefix: [a DNS-1035 label must consist of lower case alphanumeric characters or "
       "'-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or "
       "'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')]: metadata.generateName"},
      {"hello", "hello-", ""},
      {"Hello", "Bad-", "not a DNS 1035 label prefix: [a DNS-1035 label must consist of lower case alphanumeric characters or "
       "'-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or "
       "'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')]: metadata.generateName"},
  };
  for (const NameCase& c : cases) {
    Json metadata = {{"namespace", "default"}};
    if (!c.name.empty()) metadata["name"] = c.name;
    if (!c.generate_name.empty()) metadata["generateName"] = c.generate_name;
    Json service = Service();
    service["metadata"] = metadata;
    EXPECT_EQ(Verdict(service), c.want) << metadata;
    EXPECT_EQ(Verdict(service, {}, nullptr, "cfg"), c.want) << metadata;
    const Json revision = {{"metadata", metadata}, {"spec", service["spec"]["template"]["spec"]}};
    EXPECT_EQ(Verdict(revision, {}, nullptr, "rev"), c.want) << metadata;
    const Json route = {{"metadata", metadata},
                        {"spec", {{"traffic", {{{"percent", 100}, {"configurationName", "c"}}}}}}};
    EXPECT_EQ(Verdict(route, {}, nullptr, "rt"), c.want) << metadata;
  }
}

TEST(MetadataTest, ScalingAnnotationsBelongToTheTemplate) {
  Json service = Service();
  SetAnnotation(service, "autoscaling.knative.dev/min-scale", "1");
  EXPECT_EQ(
      Verdict(service),
      "invalid key name \"autoscaling.knative.dev/min-scale\": metadata.annotations\n"
      "autoscaling annotations must be put under \"spec.template.metadata.annotations\" to work");
  service = Service();
  SetAnnotation(service, "updraft.dev/schedule", "1 from 0 8 * * * for 1h");
  EXPECT_EQ(Verdict(service),
            "invalid key name \"updraft.dev/schedule\": metadata.annotations\n"
            "autoscaling annotations must be put under \"spec.template.metadata.annotations\" to work");
  // On a Configuration and a Route as well; on a Revision, where they come from a template, they are judged.
  for (const char* kind : {"cfg", "rt"}) {
    Json object = {{"metadata", {{"name", "c"}}}, {"spec", Service()["spec"]}};
    object["spec"]["traffic"] = Json::parse(R"([{"percent":100,"configurationName":"c"}])");
    SetAnnotation(object, "autoscaling.knative.dev/max-scale", "1");
    EXPECT_EQ(Verdict(object, {}, nullptr, kind),
              "invalid key name \"autoscaling.knative.dev/max-scale\": metadata.annotations\n"
              "autoscaling annotations must be put under \"spec.template.metadata.annotations\" to work");
  }
  Json revision = {{"metadata", {{"name", "r"}}}, {"spec", Service()["spec"]["template"]["spec"]}};
  SetAnnotation(revision, "autoscaling.knative.dev/max-scale", "x");
  EXPECT_EQ(Verdict(revision, {}, nullptr, "rev"),
            "invalid value: x: metadata.annotations.autoscaling.knative.dev/max-scale");
}

TEST(MetadataTest, RolloutDuration) {
  for (const auto& [value, want] : std::vector<std::pair<std::string, std::string>>{
           {"20s", ""},
           {"x", "invalid value: x: metadata.annotations.serving.knative.dev/rollout-duration"},
           {"1500ms",
            "rollout-duration=1500ms is not at second precision: "
            "metadata.annotations.serving.knative.dev/rollout-duration"},
           {"-5s",
            "rollout-duration=-5s must be positive: "
            "metadata.annotations.serving.knative.dev/rollout-duration"}}) {
    for (const std::string key : {"serving.knative.dev/rollout-duration", "serving.knative.dev/rolloutDuration"}) {
      Json service = Service();
      SetAnnotation(service, key, value);
      std::string wanted = want;
      if (const size_t at = wanted.rfind("serving.knative.dev/"); at != std::string::npos) wanted.replace(at, wanted.npos, key);
      EXPECT_EQ(Verdict(service), wanted);
    }
  }
}

TEST(MetadataTest, OwnerLabelsNeedTheOwner) {
  struct Case {
    const char* kind;
    const char* label;
    const char* owner_kind;  // empty: no owner
    const char* owner;
    bool good;
  };
  for (const Case& c : {Case{"cfg", "serving.knative.dev/service", "", "", false},
                        Case{"cfg", "serving.knative.dev/service", "Service", "s", true},
                        Case{"cfg", "serving.knative.dev/service", "Service", "other", false},
                        Case{"cfg", "serving.knative.dev/service", "Job", "s", false},
                        Case{"rt", "serving.knative.dev/service", "", "", false},
                        Case{"rt", "serving.knative.dev/service", "Service", "s", true},
                        Case{"rt", "serving.knative.dev/configuration", "", "", true},
                        Case{"rev", "serving.knative.dev/configuration", "", "", false},
                        Case{"rev", "serving.knative.dev/configuration", "Configuration", "s", true},
                        Case{"rev", "serving.knative.dev/configuration", "Service", "s", false},
                        Case{"rev", "serving.knative.dev/service", "", "", true},
                        Case{"ksvc", "serving.knative.dev/service", "", "", true}}) {
    Json object = {{"metadata", {{"name", "x"}}}, {"spec", Service()["spec"]}};
    if (std::string_view(c.kind) == "rev") object["spec"] = object["spec"]["template"]["spec"];
    if (std::string_view(c.kind) == "rt")
      object["spec"] = {{"traffic", {{{"percent", 100}, {"configurationName", "c"}}}}};
    SetLabel(object, c.label, "s");
    if (*c.owner_kind != '\0')
      object["metadata"]["ownerReferences"] = {
          {{"apiVersion", "v1"}, {"kind", c.owner_kind}, {"name", c.owner}, {"uid", "1"}}};
    EXPECT_EQ(Verdict(object, {}, nullptr, c.kind),
              c.good ? "" : "missing field(s): metadata.labels." + std::string(c.label))
        << c.kind << " " << c.label << " " << c.owner_kind << " " << c.owner;
  }
}

}  // namespace
}  // namespace updraft::api
