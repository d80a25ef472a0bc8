// The Services by which Knative's own programs find out where requests for all routes are to go:
// those of the ingresses that they know. Here that is where the activators listen. Pure.
#pragma once

#include <utility>
#include <vector>

#include "controller/objects/object_store.h"
#include "controller/reconcile/serving_config.h"
#include "core/api/json.h"

namespace updraft::controller {

// What is to be stored, without uid and creation time; of the platform's own, so that users may
// read it.
std::vector<std::pair<ObjectKey, Json>> GatewayServices(const ServingConfig& config);

}  // namespace updraft::controller
