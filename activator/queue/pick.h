// Which instance a request goes to, as Knative chooses by containerConcurrency. Lock-free; the slot
// is taken by the choice.
#pragma once

#include <cstdint>
#include <random>

#include "activator/queue/revision.h"

namespace updraft::activator {

// Limits up to this one fill one instance before the next is touched; larger ones go round.
inline constexpr uint32_t kFirstAvailableMax = 3;

// By the revision's limit, whatever part of it the instances have here. 1 ... 3: the first with a free slot. From 4: round
// robin over those with a free slot, going on at `next`. 0: of two at random the one with fewer requests. But where there are
// many, none of these but the first: a few dozen have a turn, which moves on with `next`, and an idle one of those goes before.
// Each has the same share in the end, no request waits that would not have waited, and memory is used again while it is in the
// processor's cache. `running`: requests of the revision on this worker. Null: no slot is free.
Instance* PickInstance(const InstanceSet& set, uint32_t limit, uint32_t running, uint32_t& next,
                       std::minstd_rand& random);

}  // namespace updraft::activator
