// How many of a revision's slots each activator should have. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/clock.h"

namespace updraft::controller {

// One activator's claim.
struct SlotClaim {
  uint64_t held = 0;
  uint64_t wanted = 0;       // requests that run and wait there
  TimePoint granted_at = {};  // when it was granted a slot last
};

// A slot that was granted is not taken back for so long: that it can be of use.
inline constexpr Nanos kGrantProtected = Millis(10);

// The share of each, in the order of the claims; together they are `slots`, if there is a claim. Who wants
// little has that, the others as much as one another (water-filling); what nobody wants is spread evenly.
// What does not divide stays with whoever holds most; but where there is not one for each that wants one,
// they take turns.
std::vector<uint64_t> SharesOf(uint64_t slots, const std::vector<SlotClaim>& claims, TimePoint now);

}  // namespace updraft::controller
