// From the images of a revision's containers to the digests in its status. Pure.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "controller/reconcile/plan.h"
#include "controller/reconcile/revision.h"
#include "core/api/json.h"

namespace updraft::controller {

struct DigestVerdict {
  bool resolved = false;                              // all are known: statuses can be written
  std::optional<std::string> failure = std::nullopt;  // the first container's, for the user
  std::string trouble = {};                 // what may yet pass: nobody could be asked, say
  Json container_statuses = Json::array();  // when resolved
  Json init_container_statuses = Json::array();
};

// Adds to `plan` what still has to be resolved and when to try again.
DigestVerdict JudgeDigests(const RevisionInputs& in, const ServingConfig& config, WallTime now,
                           ReconcilePlan& plan);

}  // namespace updraft::controller
