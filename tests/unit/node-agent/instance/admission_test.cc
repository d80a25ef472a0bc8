#include "node-agent/instance/admission.h"

#include <gtest/gtest.h>

#include "node-agent/instance/admission_gate.h"

namespace updraft::node_agent {
namespace {

TEST(AdmissionTest, LetsAsManyGoAsThereIsRoom) {
  Admission admission(2);
  const auto a = admission.Enter("r");
  const auto b = admission.Enter("r");
  const auto c = admission.Enter("r");
  EXPECT_EQ(admission.Next(), a);
  EXPECT_EQ(admission.Next(), b);
  EXPECT_EQ(admission.Next(), std::nullopt);
  admission.Leave(a);
  EXPECT_EQ(admission.Next(), c);
}

TEST(AdmissionTest, ABurstOfOneRevisionDoesNotHoldUpTheOthers) {
  Admission admission(1);
  const auto first = admission.Enter("burst");
  const auto second = admission.Enter("burst");
  const auto third = admission.Enter("burst");
  const auto other = admission.Enter("other");
  std::vector<Admission::Ticket> order;
  while (const auto next = admission.Next()) {
    order.push_back(*next);
    admission.Leave(*next);
  }
  EXPECT_EQ(order, (std::vector{first, other, second, third}));
}

TEST(AdmissionTest, WhoGivesUpLosesItsPlace) {
  Admission admission(1);
  const auto a = admission.Enter("r");
  const auto b = admission.Enter("s");
  admission.Leave(a);
  EXPECT_EQ(admission.Next(), b);
  admission.Leave(b);
  admission.Leave(b);  // again: no effect
  EXPECT_EQ(admission.running(), 0u);
  EXPECT_EQ(admission.waiting(), 0u);
}

TEST(AdmissionGateTest, RunsWhoeversTurnItIs) {
  AdmissionGate gate(1);
  std::string order;
  const auto a = gate.Enter("r", [&order] { order += "a"; });
  const auto b = gate.Enter("r", [&order] { order += "b"; });
  const auto c = gate.Enter("r", [&order] { order += "c"; });
  EXPECT_EQ(order, "a");
  gate.Leave(b);
  gate.Leave(a);
  EXPECT_EQ(order, "ac");
  gate.Leave(c);
  EXPECT_EQ(gate.running(), 0u);
}

}  // namespace
}  // namespace updraft::node_agent
