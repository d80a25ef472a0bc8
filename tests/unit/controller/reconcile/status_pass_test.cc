#include "controller/reconcile/status_pass.h"

#include <gtest/gtest.h>

#include "tests/unit/controller/reconcile/builders.h"

namespace updraft::controller {
namespace {

constexpr char kBefore[] = "2026-03-01T11:30:00Z";
constexpr char kAt[] = "2026-03-01T12:00:00Z";

Json Finish(StatusPass& pass) {
  ReconcilePlan plan;
  pass.Finish({resource::kRoutes, "default", "hello"}, plan);
  return plan.writes.empty() ? Json() : Written(plan, "routes/hello");
}

TEST(StatusPassTest, ANewObjectGetsAllConditionsAndItsGeneration) {
  const Json route = RouteObject();
  StatusPass pass(route, api::RouteConditions(), kNow);
  const Json written = Finish(pass);
  EXPECT_EQ(ConditionText(written),
            "AllTrafficAssigned=Unknown CertificateProvisioned=Unknown IngressReady=Unknown "
            "Ready=Unknown");
  EXPECT_EQ(written["status"]["observedGeneration"], 1);
  EXPECT_EQ(written["status"]["conditions"][0]["lastTransitionTime"], kAt);
}

TEST(StatusPassTest, APassThatComesOutTheSameWritesNothing) {
  const Json route = RouteObject();
  StatusPass first(route, api::RouteConditions(), kNow);
  first.MarkTrue("IngressReady");
  const Json stored = Finish(first);
  StatusPass second(stored, api::RouteConditions(), kNow + Seconds(60));
  second.MarkFalse("IngressReady", "Passing", "through");
  second.MarkTrue("IngressReady");
  EXPECT_EQ(Finish(second), nullptr);
}

TEST(StatusPassTest, OnlyConditionsThatChangeGetANewTime) {
  Json route = RouteObject();
  for (const char* type :
       {"AllTrafficAssigned", "CertificateProvisioned", "IngressReady", "Ready"}) {
    route = WithCondition(std::move(route), type, "True");
  }
  StatusPass pass(route, api::RouteConditions(), kNow);
  pass.MarkFalse("IngressReady", "NotOwned", "taken");
  const Json written = Finish(pass);
  EXPECT_EQ(api::ConditionOf(written, "IngressReady")->last_transition_time, kAt);
  EXPECT_EQ(api::ConditionOf(written, "Ready")->last_transition_time, kAt);
  EXPECT_EQ(api::ConditionOf(written, "AllTrafficAssigned")->last_transition_time, kBefore);
}

struct SumCase {
  std::string name;
  std::string first;   // ResourcesAvailable: status, or status(reason)
  std::string second;  // ContainerHealthy
  std::string want;
};

class SumTest : public testing::TestWithParam<SumCase> {};

void Mark(StatusPass& pass, const char* type, const std::string& text) {
  const size_t open = text.find('(');
  const std::string status = text.substr(0, open);
  const std::string reason =
      open == std::string::npos ? "" : text.substr(open + 1, text.size() - open - 2);
  if (status == "True") pass.MarkTrue(type);
  if (status == "False") pass.MarkFalse(type, reason, "");
  if (status == "Unknown") pass.MarkUnknown(type, reason, "");
}

TEST_P(SumTest, IsMadeOfTheDependents) {
  const Json revision = RevisionObject();
  StatusPass pass(revision, api::RevisionConditions(), kNow);
  Mark(pass, "ResourcesAvailable", GetParam().first);
  Mark(pass, "ContainerHealthy", GetParam().second);
  pass.MarkFalse("Active", "NoTraffic", "");
  const api::Condition sum = pass.Sum();
  EXPECT_EQ(sum.status + (sum.reason.empty() ? "" : "(" + sum.reason + ")"), GetParam().want);
}

INSTANTIATE_TEST_SUITE_P(Table, SumTest,
                         testing::ValuesIn(std::vector<SumCase>{
                             {"AllTrue", "True", "True", "True"},
                             {"FalseOutweighsUnknown", "Unknown(A)", "False(B)", "False(B)"},
                             {"FalseOutweighsTrue", "True", "False(B)", "False(B)"},
                             {"UnknownOutweighsTrue", "True", "Unknown(B)", "Unknown(B)"},
                             {"OfTwoAtOnceTheFirst", "False(A)", "False(B)", "False(A)"},
                         }),
                         [](const auto& test) { return test.param.name; });

TEST(StatusPassTest, OfTwoFailuresTheLaterCountsWhateverTheOrderOfMarking) {
  Json revision = WithCondition(RevisionObject(), "ResourcesAvailable", "False", "Old", "");
  StatusPass pass(revision, api::RevisionConditions(), kNow);
  pass.MarkFalse("ContainerHealthy", "New", "");
  pass.MarkFalse("ResourcesAvailable", "Old", "");
  EXPECT_EQ(pass.Sum().reason, "New");
}

TEST(StatusPassTest, ConditionsThatAreNoDependentsAreOfSeverityInfo) {
  const Json revision = RevisionObject();
  StatusPass pass(revision, api::RevisionConditions(), kNow);
  pass.MarkTrue("Active");
  ReconcilePlan plan;
  pass.Finish(KeyOf(revision, resource::kRevisions), plan);
  const Json written = Written(plan, "revisions/hello-00001");
  EXPECT_EQ(api::ConditionOf(written, "Active")->severity, "Info");
  EXPECT_EQ(api::ConditionOf(written, "Ready")->severity, "");
}

}  // namespace
}  // namespace updraft::controller
