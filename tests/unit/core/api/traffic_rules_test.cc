// Knative's rules for traffic, with their exact texts (reference 1.3).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/core/api/builders.h"

namespace updraft::api {
namespace {

class TrafficTest : public testing::TestWithParam<ManifestCase> {};

TEST_P(TrafficTest, Verdict) {
  EXPECT_EQ(Verdict(WithTraffic(GetParam().manifest)), GetParam().want) << GetParam().manifest;
}

INSTANTIATE_TEST_SUITE_P(
    Table, TrafficTest,
    testing::ValuesIn(std::vector<ManifestCase>{
        {R"([{"percent":100}])", ""},
        {R"([{"percent":90,"revisionName":"hello-00001"},{"percent":10,"tag":"next"}])", ""},
        {R"([{"percent":99}])", "Traffic targets sum to 99, want 100: spec.traffic"},
        {R"([{"percent":60},{"percent":60}])",
         "Traffic targets sum to 120, want 100: spec.traffic"},
        {R"([{"percent":101},{"percent":-1}])",
         "expected 0 <= -1 <= 100: spec.traffic[1].percent\nexpected 0 <= 101 <= 100: "
         "spec.traffic[0].percent"},
        {R"([{"percent":100,"revisionName":"x","latestRevision":true}])",
         "may not set revisionName \"x\" when latestRevision is true: "
         "spec.traffic[0].latestRevision"},
        {R"([{"percent":100,"latestRevision":false}])",
         "may not set revisionName \"\" when latestRevision is false: "
         "spec.traffic[0].latestRevision"},
        {R"([{"percent":100,"configurationName":"c"}])",
         "must not set the field(s): spec.traffic[0].configurationName"},
        {R"([{"percent":100,"url":"http://x"}])", "must not set the field(s): spec.traffic[0].url"},
        {R"([{"percent":100,"tag":"a"},{"tag":"a"}])",
         "Multiple definitions for \"a\": spec.traffic[0].tag, spec.traffic[1].tag"},
        {R"([{"percent":100,"revisionName":"a b"}])",
         "invalid key name \"a b\": spec.traffic[0].revisionName\nname part must consist of "
         "alphanumeric characters, '-', '_' or '.', and must start and "
         "end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex "
         "used for validation is "
         "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"},
    }));

TEST(TrafficTest, TagsAreLabels) {
  EXPECT_THAT(Verdict(WithTraffic(R"([{"percent":100,"tag":"Bad_Tag"}])")),
              testing::HasSubstr("invalid value: not a DNS 1035 label: [a DNS-1035 label must"));
  EXPECT_THAT(Verdict(WithTraffic(R"([{"percent":100,"tag":"Bad_Tag"}])")),
              testing::HasSubstr(": spec.traffic.tag[0]"));
}

TEST(TrafficTest, OfARoute) {
  Json route = Json::parse(
      R"({"apiVersion":"serving.knative.dev/v1","kind":"Route","metadata":{"name":"r"},"spec":{"traffic":[{"percent":100}]}})");
  EXPECT_EQ(Verdict(route, {}, nullptr, "rt"),
            "expected exactly one, got neither: spec.traffic[0].configurationName, "
            "spec.traffic[0].revisionName");
  route["spec"]["traffic"] = Json::parse(R"([{"percent":100,"configurationName":"c"}])");
  EXPECT_EQ(Verdict(route, {}, nullptr, "rt"), "");
  route["spec"]["traffic"] =
      Json::parse(R"([{"percent":100,"configurationName":"c","revisionName":"r"}])");
  EXPECT_THAT(Verdict(route, {}, nullptr, "rt"),
              testing::HasSubstr("expected exactly one, got both: spec.traffic[0].configurationName, "
                        "spec.traffic[0].revisionName"));
  route["spec"]["traffic"] = Json::array();
  EXPECT_EQ(Verdict(route, {}, nullptr, "rt"), "Traffic targets sum to 0, want 100: spec.traffic");
}

}  // namespace
}  // namespace updraft::api
