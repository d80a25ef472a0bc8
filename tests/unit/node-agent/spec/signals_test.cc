#include "node-agent/spec/signals.h"

#include <gtest/gtest.h>
#include <signal.h>

namespace updraft::node_agent {
namespace {

TEST(ParseSignalTest, NamesAndNumbers) {
  EXPECT_EQ(ParseSignal("SIGQUIT"), SIGQUIT);
  EXPECT_EQ(ParseSignal("quit"), SIGQUIT);
  EXPECT_EQ(ParseSignal("15"), SIGTERM);
  EXPECT_EQ(ParseSignal("SIGRTMIN+3"), SIGRTMIN + 3);
  EXPECT_EQ(ParseSignal("RTMIN"), SIGRTMIN);
}

TEST(ParseSignalTest, AnythingElseIsNone) {
  for (const char* name : {"", "SIG", "SIGNOTHING", "0", "-1", "1000", "SIGRTMIN+99", "15x"}) {
    EXPECT_EQ(ParseSignal(name), std::nullopt) << name;
  }
}

}  // namespace
}  // namespace updraft::node_agent
