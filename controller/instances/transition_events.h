// The events that a report about an instance gives rise to, in the kubelet's words. Pure.
#pragma once

#include <vector>

#include "controller/instances/fleet.h"

namespace updraft::controller {

// `instance` is as it was before `report`. The same report twice gives no second event.
std::vector<InstanceEvent> EventsOfTransition(const Instance& instance,
                                              const v1::InstanceReport& report);

}  // namespace updraft::controller
