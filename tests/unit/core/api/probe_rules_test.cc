// Knative's rules for probes, with their exact texts (reference 1.4, "Probes").
#include <gtest/gtest.h>

#include "tests/unit/core/api/builders.h"

namespace updraft::api {
namespace {

// "@" stands for the container's path.
std::string WithProbePath(std::string want) {
  for (size_t at = want.find('@'); at != std::string::npos; at = want.find('@'))
    want.replace(at, 1, "spec.template.spec.containers[0].");
  return want;
}

class ProbeTest : public testing::TestWithParam<ManifestCase> {};

TEST_P(ProbeTest, Verdict) {
  EXPECT_EQ(Verdict(WithContainer(GetParam().manifest)), WithProbePath(GetParam().want)) << GetParam().manifest;
}

INSTANTIATE_TEST_SUITE_P(
    Table, ProbeTest,
    testing::ValuesIn(std::vector<ManifestCase>{
        {R"({"livenessProbe":{"httpGet":{"path":"/"}},"startupProbe":{"tcpSocket":{}}})", ""},
        {R"({"livenessProbe":{}})",
         "expected exactly one, got neither: @livenessProbe.exec, @livenessProbe.grpc, "
         "@livenessProbe.httpGet, @livenessProbe.tcpSocket"},
        {R"({"readinessProbe":{"httpGet":{},"exec":{"command":["x"]}}})",
         "expected exactly one, got both: @readinessProbe.exec, @readinessProbe.httpGet"},
        {R"({"livenessProbe":{"httpGet":{"port":"web"},"tcpSocket":{"port":"web"}}})",
         "expected exactly one, got both: @livenessProbe.httpGet, @livenessProbe.tcpSocket\n"
         "invalid value: web: @livenessProbe.tcpSocket.httpGet.port, "
         "@livenessProbe.tcpSocket.port\nProbe port must match container port"},
        {R"({"readinessProbe":{"grpc":{"port":8080}}})", ""},
        {R"({"readinessProbe":{"exec":{"command":["true"]},"periodSeconds":5,"timeoutSeconds":2}})",
         ""},
        {R"({"livenessProbe":{"terminationGracePeriodSeconds":5,"tcpSocket":{}}})", ""},
        {R"({"readinessProbe":{"httpGet":{"port":"web"}}})",
         "invalid value: web: @readinessProbe.httpGet.port\nProbe port must match container port"},
        {R"({"readinessProbe":{"httpGet":{"port":"http"}}})", ""},
        {R"({"readinessProbe":{"tcpSocket":{"port":"web"}}})",
         "invalid value: web: @readinessProbe.tcpSocket.port\nProbe port must match container "
         "port"},
        {R"({"readinessProbe":{"failureThreshold":3}})",
         "failureThreshold is disallowed when periodSeconds is zero: "
         "@readinessProbe.failureThreshold"},
        {R"({"readinessProbe":{"timeoutSeconds":3}})",
         "timeoutSeconds is disallowed when periodSeconds is zero: @readinessProbe.timeoutSeconds"},
        {R"({"readinessProbe":{"periodSeconds":-1}})",
         "expected 0 <= -1 <= 2147483647: @readinessProbe.periodSeconds"},
        {R"({"readinessProbe":{"successThreshold":-1}})",
         "expected 1 <= -1 <= 2147483647: @readinessProbe.successThreshold"},
        {R"({"readinessProbe":{"initialDelaySeconds":-1}})",
         "expected 0 <= -1 <= 2147483647: @readinessProbe.initialDelaySeconds"},
        {R"({"readinessProbe":{"periodSeconds":1,"timeoutSeconds":-1}})",
         "expected 1 <= -1 <= 2147483647: @readinessProbe.timeoutSeconds"},
        {R"({"readinessProbe":{"periodSeconds":1,"failureThreshold":-1}})",
         "expected 1 <= -1 <= 2147483647: @readinessProbe.failureThreshold"},
    }));

}  // namespace
}  // namespace updraft::api
