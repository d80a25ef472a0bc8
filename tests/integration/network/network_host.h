// A machine of its own for each test: a network namespace with an uplink to an "outside", and a
// private view of mounts. Needs root and ip(8).
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <string>

#include "node-agent/network/network_pool.h"

namespace updraft::node_agent {

class NetworkHostTest : public testing::Test {
 protected:
  static void SetUpTestSuite();
  void SetUp() override;
  void TearDown() override;

  // Output of a program that must succeed.
  static std::string Shell(const std::string& command);

  NetworkPool::Options Options(size_t ready_count = 2) const {
    return {.bridge = "utest0", .subnet = "10.77.0.0/16", .run = run_, .ready_count = ready_count};
  }

  // Claims on the loop and waits for the answer.
  static Result<ClaimedNetwork> Claim(Loop& loop, NetworkPool& pool, const std::string& instance);

  // Spins until `condition` holds; fails the test after 10 s.
  static void Await(const std::string& what, const std::function<bool()>& condition);

  // Everything that a network could leave behind.
  std::string Traces() const;

  // Connects from the namespace at `from` (empty: from the machine) to a listener in that at `to`;
  // returns what the listener sees as the peer's address, or the error.
  static std::string PeerSeen(const std::string& from, const std::string& to,
                              const std::string& address);

  std::string folder_;
  std::string run_;
  std::string
      outside_;  // namespace, has 192.0.2.2; the machine has 192.0.2.1 there, and no route back
};

}  // namespace updraft::node_agent
