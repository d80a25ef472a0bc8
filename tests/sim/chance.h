// All chance of a simulation: one stream of numbers from one seed, the same on every machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/clock.h"

namespace updraft::sim {

class Chance {
 public:
  explicit Chance(uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15U + 0x1234567) {}

  // splitmix64
  uint64_t Next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
  }
  // REQUIRES: below > 0.
  uint64_t Below(uint64_t below) { return Next() % below; }
  bool OneIn(uint64_t n) { return Below(n) == 0; }
  bool Percent(uint64_t percent) { return Below(100) < percent; }
  Nanos Between(Nanos least, Nanos most) {
    return least + Nanos(static_cast<int64_t>(Below(static_cast<uint64_t>((most - least).count()) + 1)));
  }
  template <typename T>
  const T& Of(const std::vector<T>& choices) {
    return choices[static_cast<size_t>(Below(choices.size()))];
  }

 private:
  uint64_t state_;
};

}  // namespace updraft::sim
