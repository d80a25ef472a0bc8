// Knative's rules for traffic, with their exact texts (reference 1.3).
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
        {R"([{}])", "Traffic targets sum to 0, want 100: spec.traffic"},
        {R"([{"percent":0}])", "Traffic targets sum to 0, want 100: spec.traffic"},
        {R"([{"percent":50},{"percent":50}])", ""},
        {R"([{"percent":200},{"percent":-100}])",
         "expected 0 <= -100 <= 100: spec.traffic[1].percent\nexpected 0 <= 200 <= 100: "
         "spec.traffic[0].percent"},
        {R"([{"percent":100,"revisionName":"hello-1","latestRevision":false}])", ""},
        {R"([{"percent":100,"latestRevision":true}])", ""},
        {R"([{"percent":100,"revisionName":"A.b_c"}])", ""},
        {R"([{"percent":100,"revisionName":"a/b"}])", ""},
        {R"([{"percent":100,"revisionName":"/b"}])",
         "invalid key name \"/b\": spec.traffic[0].revisionName\nprefix part must be non-empty"},
        {R"([{"percent":100,"revisionName":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}])",
         "invalid key name \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\": "
         "spec.traffic[0].revisionName\nname part must be no more than 63 bytes"},
        {R"([{"percent":100,"url":"http://x","tag":"t"}])", "must not set the field(s): spec.traffic[0].url"},
        {R"([{"percent":100,"tag":"blue"},{"tag":"green","revisionName":"hello-1"}])", ""},
        {R"([{"percent":100,"tag":"a"},{"tag":"a"},{"tag":"a"}])",
         "Multiple definitions for \"a\": spec.traffic[0].tag, spec.traffic[1].tag, spec.traffic[2].tag"},
        {R"([{"percent":100,"tag":"Bad_Tag"}])",
         "invalid value: not a DNS 1035 label: [a DNS-1035 label must consist of lower case alphanumeric "
         "characters or '-', start with an alphabetic character, and end with an alphanumeric character "
         "(e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')]: "
         "spec.traffic.tag[0]"},
        {R"([{"percent":100},{"tag":"a.b"}])",
         "invalid value: not a DNS 1035 label: [a DNS-1035 label must consist of lower case alphanumeric "
         "characters or '-', start with an alphabetic character, and end with an alphanumeric character "
         "(e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')]: "
         "spec.traffic.tag[1]"},
        {R"([{"percent":100,"tag":"1"}])",
         "invalid value: not a DNS 1035 label: [a DNS-1035 label must consist of lower case alphanumeric "
         "characters or '-', start with an alphabetic character, and end with an alphanumeric character "
         "(e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')]: "
         "spec.traffic.tag[0]"},
        {R"([{"percent":100,"tag":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}])",
         "invalid value: not a DNS 1035 label: [must be no more than 63 characters]: spec.traffic.tag[0]"},
        {R"([{"percent":101,"revisionName":"r","configurationName":"c","tag":"T","url":"u","latestRevision":true}])",
         "Traffic targets sum to 101, want 100: spec.traffic\nexpected 0 <= 101 <= 100: "
         "spec.traffic[0].percent\ninvalid value: not a DNS 1035 label: [a DNS-1035 label must consist of "
         "lower case alphanumeric characters or '-', start with an alphabetic character, and end with an "
         "alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
         "'[a-z]([-a-z0-9]*[a-z0-9])?')]: spec.traffic.tag[0]\nmay not set revisionName \"r\" when "
         "latestRevision is true: spec.traffic[0].latestRevision\nmust not set the field(s): "
         "spec.traffic[0].configurationName, spec.traffic[0].url"},
    }));

TEST(RouteTrafficTest, Verdict) {
  Json route = Json::parse(R"({"apiVersion":"serving.knative.dev/v1","kind":"Route","metadata":{"name":"r"},"spec":{}})");
  for (const ManifestCase& c : std::vector<ManifestCase>{
           {R"([])",
            "Traffic targets sum to 0, want 100: spec.traffic"},
           {R"([{"percent":100}])",
            "expected exactly one, got neither: spec.traffic[0].configurationName, "
            "spec.traffic[0].revisionName"},
           {R"([{"percent":100,"configurationName":"c"}])",
            ""},
           {R"([{"percent":100,"configurationName":"c d"}])",
            "invalid key name \"c d\": spec.traffic[0].configurationName\nname part must consist of "
            "alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character "
            "(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
            "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"},
           {R"([{"percent":100,"revisionName":"r"}])",
            ""},
           {R"([{"percent":100,"configurationName":"c","revisionName":"r"}])",
            "expected exactly one, got both: spec.traffic[0].configurationName, spec.traffic[0].revisionName"},
           {R"([{"percent":100,"configurationName":"c","latestRevision":false}])",
            "may not set revisionName \"\" when latestRevision is false: spec.traffic[0].latestRevision"},
           {R"([{"percent":100,"revisionName":"r","latestRevision":true}])",
            "may not set revisionName \"r\" when latestRevision is true: spec.traffic[0].latestRevision"},
           {R"([{"percent":60,"revisionName":"r"},{"percent":60,"configurationName":"c"}])",
            "Traffic targets sum to 120, want 100: spec.traffic"},
           {R"([{"percent":100,"configurationName":"c","tag":"a"},{"revisionName":"r","tag":"a"}])",
            "Multiple definitions for \"a\": spec.traffic[0].tag, spec.traffic[1].tag"},
           {R"([{"percent":100,"configurationName":"c","url":"http://x"}])",
            "must not set the field(s): spec.traffic[0].url"},
       }) {
    route["spec"]["traffic"] = Json::parse(c.manifest);
    EXPECT_EQ(Verdict(route, {}, nullptr, "rt"), c.want) << c.manifest;
  }
}

}  // namespace
}  // namespace updraft::api
