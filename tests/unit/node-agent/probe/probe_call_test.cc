#include "node-agent/probe/probe_call.h"

#include <gmock/gmock.h>

namespace updraft::node_agent {
namespace {

const ProbeTarget kTarget{.ip = "10.89.0.7", .serving_port = 8080, .container_id = "c1"};

TEST(ProbesOfTest, AContainerWithoutProbesHasNone) {
  const ContainerProbes probes = ProbesOf({}, kTarget);
  EXPECT_FALSE(probes.startup || probes.readiness || probes.liveness);
}

TEST(ProbesOfTest, TcpWithPortZeroMeansTheServingPort) {
  v1::Container container;
  container.mutable_readiness_probe()->mutable_tcp();
  const ContainerProbes probes = ProbesOf(container, kTarget);
  const auto& call = std::get<TcpCall>(probes.readiness->call);
  EXPECT_EQ(call.ip, "10.89.0.7");
  EXPECT_EQ(call.port, 8080);
}

TEST(ProbesOfTest, ReadinessWithPeriodZeroIsAggressive) {
  v1::Container container;
  container.mutable_readiness_probe()->mutable_tcp();
  const ProbePolicy policy = ProbesOf(container, kTarget).readiness->policy;
  ASSERT_TRUE(policy.quick);
  EXPECT_EQ(policy.quick->timeout, Millis(100));
  EXPECT_EQ(policy.quick->most, Millis(50));
  EXPECT_EQ(policy.period, Seconds(1));
}

TEST(ProbesOfTest, ExecIsNotRunEveryFewMilliseconds) {
  v1::Container container;
  container.mutable_readiness_probe()->mutable_exec()->add_command("/bin/ok");
  const ProbePlan plan = *ProbesOf(container, kTarget).readiness;
  EXPECT_EQ(plan.policy.quick->first, Millis(100));
  EXPECT_EQ(std::get<ExecCall>(plan.call).container_id, "c1");
  EXPECT_THAT(std::get<ExecCall>(plan.call).command, testing::ElementsAre("/bin/ok"));
}

TEST(ProbesOfTest, OtherProbesWithPeriodZeroGetKubernetesDefaults) {
  v1::Container container;
  container.mutable_liveness_probe()->mutable_tcp()->set_port(81);
  const ProbePolicy policy = ProbesOf(container, kTarget).liveness->policy;
  EXPECT_FALSE(policy.quick);
  EXPECT_EQ(policy.period, Seconds(10));
  EXPECT_EQ(policy.timeout, Seconds(1));
  EXPECT_EQ(policy.failure_threshold, 3);
}

TEST(ProbesOfTest, EveryFieldIsCarriedOver) {
  v1::Container container;
  v1::Probe& probe = *container.mutable_startup_probe();
  probe.mutable_grpc()->set_port(9000);
  probe.mutable_grpc()->set_service("shop");
  probe.set_initial_delay_ns(1);
  probe.set_period_ns(2);
  probe.set_timeout_ns(3);
  probe.set_success_threshold(4);
  probe.set_failure_threshold(5);
  const ProbePlan plan = *ProbesOf(container, kTarget).startup;
  EXPECT_EQ(std::get<GrpcCall>(plan.call).port, 9000);
  EXPECT_EQ(std::get<GrpcCall>(plan.call).service, "shop");
  EXPECT_EQ(plan.policy.initial_delay, Nanos(1));
  EXPECT_EQ(plan.policy.period, Nanos(2));
  EXPECT_EQ(plan.policy.timeout, Nanos(3));
  EXPECT_EQ(plan.policy.success_threshold, 4);
  EXPECT_EQ(plan.policy.failure_threshold, 5);
}

TEST(ProbesOfTest, AnHttpProbeNeverLeavesTheInstance) {
  v1::Container container;
  v1::HttpProbe& http = *container.mutable_liveness_probe()->mutable_http();
  http.set_path("healthz");
  http.set_host("elsewhere.example");
  http.set_tls(true);
  v1::EnvVar& header = *http.add_headers();
  header.set_name("X-A");
  header.set_value("b");
  const HttpCall call = std::get<HttpCall>(ProbesOf(container, kTarget).liveness->call);
  EXPECT_EQ(call.ip, "10.89.0.7");
  EXPECT_EQ(call.path, "/healthz");
  EXPECT_TRUE(call.tls);
  EXPECT_THAT(call.headers, testing::ElementsAre(testing::Pair("Host", "elsewhere.example"),
                                                 testing::Pair("X-A", "b")));
}

}  // namespace
}  // namespace updraft::node_agent
