// Whatever goes wrong: no two leaders act, and somebody leads once the faults are over. And an election broken on
// purpose, in one way each, is noticed.
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "tests/sim/election_world.h"

namespace updraft::sim {
namespace {

constexpr uint64_t kElectionSeeds = 100;
constexpr uint64_t kBrokenElectionSeeds = 40;

TEST(ElectionWorldTest, NoTwoLeadersActAndSomebodyLeadsOnceTheFaultsAreOver) {
  uint64_t terms = 0;
  uint64_t written = 0;
  uint64_t refused = 0;
  for (uint64_t seed = 0; seed < kElectionSeeds; ++seed) {
    ElectionWorld world(seed);
    for (const std::string& what : world.Live()) ADD_FAILURE() << what << " (seed " << seed << ")";
    terms += world.terms();
    written += world.written();
    refused += world.refused();
  }
  // The faults are such that the lead changes, and that the fence is needed.
  EXPECT_GT(terms, 10 * kElectionSeeds);
  EXPECT_GT(written, 1000 * kElectionSeeds);
  EXPECT_GT(refused, kElectionSeeds);
}

class BrokenElectionTest : public testing::TestWithParam<ElectionSabotageName> {};

TEST_P(BrokenElectionTest, IsNoticed) {
  for (uint64_t seed = 0; seed < kBrokenElectionSeeds; ++seed) {
    const std::vector<std::string> violations = ElectionWorld(seed, GetParam().sabotage).Live();
    if (violations.empty()) continue;
    std::printf("seed %llu: %s\n", static_cast<unsigned long long>(seed), violations.front().c_str());
    return;
  }
  FAIL() << "no seed of " << kBrokenElectionSeeds << " notices";
}

INSTANTIATE_TEST_SUITE_P(Ways, BrokenElectionTest, testing::ValuesIn(kElectionSabotages),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace updraft::sim
