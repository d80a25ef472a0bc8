// Knative's rules for probes, with their exact texts (reference 1.4, "Probes").
#include <gtest/gtest.h>

#include "tests/unit/core/api/builders.h"

namespace updraft::api {
namespace {

class ProbeTest : public testing::TestWithParam<ManifestCase> {};

TEST_P(ProbeTest, Verdict) {
  EXPECT_EQ(Verdict(WithContainer(GetParam().manifest)),
            WithPathOf("spec.template.spec.containers[0].", GetParam().want))
      << GetParam().manifest;
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
        // every handler of every probe
        {R"({"readinessProbe":{"httpGet":{"path":"/","port":8080,"host":"h","scheme":"HTTPS","httpHeaders":[{"name":"a","value":"b"}]}}})",
         ""},
        {R"({"readinessProbe":{"tcpSocket":{"port":0}}})", ""},
        {R"({"readinessProbe":{"exec":{"command":["a"]}}})", ""},
        {R"({"readinessProbe":{"grpc":{"port":1,"service":"s"}}})", ""},
        {R"({"readinessProbe":{"httpGet":{"port":"web"}}})",
         "invalid value: web: @readinessProbe.httpGet.port\nProbe port must match container port"},
        {R"({"readinessProbe":{"tcpSocket":{"port":"web"}}})",
         "invalid value: web: @readinessProbe.tcpSocket.port\nProbe port must match container port"},
        {R"({"readinessProbe":{"tcpSocket":{},"grpc":{}}})",
         "expected exactly one, got both: @readinessProbe.gRPC, @readinessProbe.tcpSocket"},
        {R"({"readinessProbe":{"httpGet":{},"tcpSocket":{},"exec":{},"grpc":{}}})",
         "expected exactly one, got both: @readinessProbe.exec, @readinessProbe.gRPC, "
         "@readinessProbe.httpGet, @readinessProbe.tcpSocket"},
        {R"({"livenessProbe":{"httpGet":{"path":"/","port":8080,"host":"h","scheme":"HTTPS","httpHeaders":[{"name":"a","value":"b"}]}}})",
         ""},
        {R"({"livenessProbe":{"tcpSocket":{"port":0}}})", ""},
        {R"({"livenessProbe":{"exec":{"command":["a"]}}})", ""},
        {R"({"livenessProbe":{"grpc":{"port":1,"service":"s"}}})", ""},
        {R"({"livenessProbe":{"httpGet":{"port":"web"}}})",
         "invalid value: web: @livenessProbe.httpGet.port\nProbe port must match container port"},
        {R"({"livenessProbe":{"tcpSocket":{"port":"web"}}})",
         "invalid value: web: @livenessProbe.tcpSocket.port\nProbe port must match container port"},
        {R"({"livenessProbe":{"tcpSocket":{},"grpc":{}}})",
         "expected exactly one, got both: @livenessProbe.gRPC, @livenessProbe.tcpSocket"},
        {R"({"livenessProbe":{"httpGet":{},"tcpSocket":{},"exec":{},"grpc":{}}})",
         "expected exactly one, got both: @livenessProbe.exec, @livenessProbe.gRPC, @livenessProbe.httpGet, "
         "@livenessProbe.tcpSocket"},
        {R"({"startupProbe":{"httpGet":{"path":"/","port":8080,"host":"h","scheme":"HTTPS","httpHeaders":[{"name":"a","value":"b"}]}}})",
         ""},
        {R"({"startupProbe":{"tcpSocket":{"port":0}}})", ""},
        {R"({"startupProbe":{"exec":{"command":["a"]}}})", ""},
        {R"({"startupProbe":{"grpc":{"port":1,"service":"s"}}})", ""},
        {R"({"startupProbe":{"httpGet":{"port":"web"}}})",
         "invalid value: web: @startupProbe.httpGet.port\nProbe port must match container port"},
        {R"({"startupProbe":{"tcpSocket":{"port":"web"}}})",
         "invalid value: web: @startupProbe.tcpSocket.port\nProbe port must match container port"},
        {R"({"startupProbe":{"tcpSocket":{},"grpc":{}}})",
         "expected exactly one, got both: @startupProbe.gRPC, @startupProbe.tcpSocket"},
        {R"({"startupProbe":{"httpGet":{},"tcpSocket":{},"exec":{},"grpc":{}}})",
         "expected exactly one, got both: @startupProbe.exec, @startupProbe.gRPC, @startupProbe.httpGet, "
         "@startupProbe.tcpSocket"},
        {R"({"startupProbe":{}})",
         "expected exactly one, got neither: @startupProbe.exec, @startupProbe.grpc, @startupProbe.httpGet, "
         "@startupProbe.tcpSocket"},
        {R"({"readinessProbe":{}})", ""},
        {R"({"livenessProbe":{"httpGet":{},"periodSeconds":-1,"timeoutSeconds":-1,"failureThreshold":-1,"successThreshold":-1,"initialDelaySeconds":-1}})",
         ""},
        {R"({"readinessProbe":{"periodSeconds":-1,"timeoutSeconds":-1,"failureThreshold":-1,"successThreshold":-1,"initialDelaySeconds":-1}})",
         "expected 0 <= -1 <= 2147483647: @readinessProbe.initialDelaySeconds, "
         "@readinessProbe.periodSeconds\nexpected 1 <= -1 <= 2147483647: @readinessProbe.failureThreshold, "
         "@readinessProbe.successThreshold, @readinessProbe.timeoutSeconds"},
        {R"({"readinessProbe":{"failureThreshold":-1,"timeoutSeconds":-1}})",
         "failureThreshold is disallowed when periodSeconds is zero: "
         "@readinessProbe.failureThreshold\ntimeoutSeconds is disallowed when periodSeconds is zero: "
         "@readinessProbe.timeoutSeconds"},
        {R"({"readinessProbe":{"successThreshold":0}})", ""},
        {R"({"readinessProbe":{"periodSeconds":2147483647}})", ""},
        {R"({"readinessProbe":{"httpGet":{"port":"h2c"}},"ports":[{"name":"h2c","containerPort":80}]})", ""},
        {R"({"readinessProbe":{"httpGet":{"port":"http"}},"ports":[{"name":"h2c","containerPort":80}]})",
         "invalid value: http: @readinessProbe.httpGet.port\nProbe port must match container port"},
    }));

// The probes of a container beside the serving one; "@" stands for that container's path.
void ExpectSidecarVerdict(const ManifestCase& c, const ServingConfig& config) {
  Json service = WithSpec(R"({"containers":[{"image":"a/b","ports":[{"containerPort":80}]},{"image":"a/c"}]})");
  Json& sidecar = service["spec"]["template"]["spec"]["containers"][1];
  sidecar = MergePatch(sidecar, Json::parse(c.manifest));
  EXPECT_EQ(Verdict(service, config), WithPathOf("spec.template.spec.containers[1].", c.want)) << c.manifest;
}

TEST(SidecarProbesTest, AreRefusedWithoutTheirFeature) {
  for (const ManifestCase& c : std::vector<ManifestCase>{
        {R"({"livenessProbe":{"httpGet":{"port":1}}})", "must not set the field(s): @livenessProbe"},
        {R"({"readinessProbe":{"tcpSocket":{"port":1},"periodSeconds":1}})",
         "must not set the field(s): @readinessProbe, @readinessProbe.failureThreshold, "
         "@readinessProbe.periodSeconds, @readinessProbe.successThreshold, @readinessProbe.timeoutSeconds"},
        {R"({"startupProbe":{"exec":{"command":["a"]}}})", "must not set the field(s): @startupProbe"},
        {R"({"livenessProbe":{"grpc":{"port":1},"timeoutSeconds":1}})",
         "must not set the field(s): @livenessProbe, @livenessProbe.timeoutSeconds"},
        {R"({"livenessProbe":{"timeoutSeconds":1}})", "must not set the field(s): @livenessProbe.timeoutSeconds"},
        {R"({"livenessProbe":{}})", ""},
       }) {
    ExpectSidecarVerdict(c, {});
    ExpectSidecarVerdict(c, WithFeature("multi-container-probing", Flag::kAllowed));
  }
}

TEST(SidecarProbesTest, SayTheirPort) {
  for (const ManifestCase& c : std::vector<ManifestCase>{
        {R"({"livenessProbe":{"httpGet":{}}})",
         "invalid value: 0: @livenessProbe.httpGet.port\nProbe port must be specified"},
        {R"({"livenessProbe":{"httpGet":{"port":"any"}}})", ""},
        {R"({"livenessProbe":{"tcpSocket":{"port":""}}})",
         "invalid value: : @livenessProbe.tcpSocket.port\nProbe port must be specified"},
        {R"({"livenessProbe":{"tcpSocket":{"port":8081}}})", ""},
        {R"({"startupProbe":{"exec":{"command":["a"]}}})", ""},
        {R"({"readinessProbe":{"tcpSocket":{"port":1}}})", ""},
        {R"({"readinessProbe":{}})",
         "expected exactly one, got neither: @readinessProbe.exec, @readinessProbe.grpc, "
         "@readinessProbe.httpGet, @readinessProbe.tcpSocket"},
        {R"({"readinessProbe":{"grpc":{"port":1},"failureThreshold":3}})",
         "failureThreshold is disallowed when periodSeconds is zero: @readinessProbe.failureThreshold"},
       }) {
    ExpectSidecarVerdict(c, WithFeature("multi-container-probing"));
  }
}

}  // namespace
}  // namespace updraft::api
