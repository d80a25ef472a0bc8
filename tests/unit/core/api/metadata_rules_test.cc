// Knative's rules for the metadata of its kinds, with their exact texts (reference 1.2 and 1.6).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/api/meta.h"
#include "tests/unit/core/api/builders.h"

namespace updraft::api {
namespace {

TEST(MetadataTest, Names) {
  Json service = Service();
  service["metadata"]["name"] = "hello.world";
  EXPECT_THAT(Verdict(service),
              testing::HasSubstr("not a DNS 1035 label: [a DNS-1035 label must consist of"));
  EXPECT_THAT(Verdict(service), testing::HasSubstr("]: metadata.name"));
  service["metadata"]["name"] = std::string(64, 'a');
  EXPECT_EQ(Verdict(service),
            "not a DNS 1035 label: [must be no more than 63 characters]: metadata.name");
  service["metadata"].erase("name");
  EXPECT_EQ(Verdict(service), "name or generateName is required: metadata.name");
  service["metadata"]["generateName"] = "1bad-";
  EXPECT_THAT(Verdict(service), testing::HasSubstr("not a DNS 1035 label prefix: ["));
  EXPECT_THAT(Verdict(service), testing::HasSubstr(": metadata.generateName"));
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
  EXPECT_THAT(Verdict(service),
              testing::HasSubstr("invalid key name \"updraft.dev/schedule\": metadata.annotations"));
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
  Json route = Json::parse(
      R"({"apiVersion":"serving.knative.dev/v1","kind":"Route","metadata":{"name":"r","labels":{"serving.knative.dev/service":"s"}},
                           "spec":{"traffic":[{"percent":100,"configurationName":"c"}]}})");
  EXPECT_EQ(Verdict(route, {}, nullptr, "rt"),
            "missing field(s): metadata.labels.serving.knative.dev/service");
  route["metadata"]["ownerReferences"] =
      Json::parse(R"([{"kind":"Service","name":"s","uid":"1","apiVersion":"v"}])");
  EXPECT_EQ(Verdict(route, {}, nullptr, "rt"), "");
}

}  // namespace
}  // namespace updraft::api
