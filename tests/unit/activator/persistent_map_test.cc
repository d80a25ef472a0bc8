#include "activator/routing/persistent_map.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace updraft::activator {
namespace {

// Few distinct hashes: deep nodes and chains.
struct BadHash {
  uint64_t operator()(std::string_view key) const { return (std::hash<std::string_view>()(key) % 7) << 58; }
};

template <typename Map>
void ExpectSame(const Map& map, const std::map<std::string, int>& model) {
  ASSERT_EQ(map.size(), model.size());
  for (const auto& [key, value] : model) {
    const int* found = map.Find(key);
    ASSERT_NE(found, nullptr) << key;
    ASSERT_EQ(*found, value) << key;
  }
}

template <typename Map>
void CompareWithModel() {
  Map map;
  std::map<std::string, int> model;
  std::mt19937 random(7);
  std::vector<std::pair<Map, std::map<std::string, int>>> copies;
  for (EditId edit = 1; edit <= 60; ++edit) {
    for (int i = 0; i < 20; ++i) {
      const std::string key = "host" + std::to_string(random() % 200);
      if (random() % 3 == 0) {
        map.Erase(key, edit);
        model.erase(key);
      } else {
        const int value = static_cast<int>(random());
        map.Set(key, value, edit);
        model[key] = value;
      }
    }
    ASSERT_NO_FATAL_FAILURE(ExpectSame(map, model));
    copies.emplace_back(map, model);
  }
  for (const auto& [copy, then] : copies) ASSERT_NO_FATAL_FAILURE(ExpectSame(copy, then)) << "a copy has changed";
  for (const auto& [key, value] : std::map(model)) map.Erase(key, 1000);
  EXPECT_EQ(map.size(), 0u);
  EXPECT_EQ(map.Find("host1"), nullptr);
}

TEST(PersistentMapTest, BehavesAsAMapAndItsCopiesStandStill) { CompareWithModel<PersistentMap<int>>(); }

TEST(PersistentMapTest, SoItDoesWhenHashesCollide) { CompareWithModel<PersistentMap<int, BadHash>>(); }

}  // namespace
}  // namespace updraft::activator
