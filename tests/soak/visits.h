// What clients do, right and wrong: one visit each, from the connection to its end.
#pragma once

#include <random>
#include <span>
#include <string_view>

#include "tests/soak/ground.h"

namespace updraft::activator {

using Random = std::mt19937;

struct VisitKind {
  std::string_view name;
  // False: what came back was wrong.
  bool (*visit)(Ground& ground, Random& random);
};

std::span<const VisitKind> VisitKinds();

}  // namespace updraft::activator
