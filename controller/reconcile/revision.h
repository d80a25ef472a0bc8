// Revision: image tags resolved to digests, then conditions that tell how its instances fare. Pure.
//
//                     ResourcesAvailable   ContainerHealthy
//   no digest yet     Unknown Resolving…   Unknown, or False ContainerMissing while resolving fails
//                                          (at once when the registry refuses, else from the third
//                                          try)
//   never initialised Unknown Deploying    Unknown Deploying
//     crashed           as it is           False ExitCode<N>, until it is initialised
//     other failure   False <reason>       as it is
//     gave up         False ProgressDead…  as it is
//   initialised       True                 True, also at zero
//     none is ready: as above for a crash and other failures, for as long as they last
//
// Active is apart: it says whether the revision takes requests just now.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "controller/reconcile/observed.h"
#include "controller/reconcile/plan.h"
#include "controller/reconcile/serving_config.h"
#include "core/api/json.h"
#include "core/base/result.h"

namespace updraft::controller {

// How the resolution of one image stands.
struct ImageResolution {
  bool under_way = false;
  std::optional<Result<std::string>> outcome =
      std::nullopt;        // "sha256:..." or empty; the last try's
  WallTime retry_at = {};  // after a failure
  int failures = 0;        // in a row
};

struct RevisionInputs {
  std::shared_ptr<const Json> revision = nullptr;  // not being deleted
  RevisionObserved observed = {};
  std::map<std::string, ImageResolution> images = {};  // by image as written
};

ReconcilePlan ReconcileRevision(const RevisionInputs& in, const ServingConfig& config,
                                WallTime now);

// Whether the digests of all containers are known, so that instances may be started.
bool HasDigests(const Json& revision);

}  // namespace updraft::controller
