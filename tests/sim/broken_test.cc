// The platform broken on purpose, in one way each: some seed of the fixed range notices.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "tests/sim/world.h"

namespace updraft::sim {
namespace {

constexpr uint64_t kSeeds = 40;

class BrokenTest : public testing::TestWithParam<SabotageName> {};

TEST_P(BrokenTest, IsNoticed) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    World world({.seed = seed, .sabotage = GetParam().sabotage, .violations_max = 1});
    const std::vector<std::string> violations = world.Live();
    if (violations.empty()) continue;
    std::printf("seed %llu: %s\n", static_cast<unsigned long long>(seed), violations.front().c_str());
    return;
  }
  FAIL() << "no seed of " << kSeeds << " notices";
}

INSTANTIATE_TEST_SUITE_P(Ways, BrokenTest, testing::ValuesIn(kSabotages),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace updraft::sim
