// A Service's manifest, as far as the autoscaler is concerned. Pure but for reading the file.
#pragma once

#include <string>

#include "autoscaler/kpa/revision_scaler.h"
#include "core/base/result.h"

namespace updraft::cli {

struct ReplayedManifest {
  std::string name;           // of the file, without folder and ending: tells several apart
  autoscaler::Target target;  // annotations and containerConcurrency
};

// kInvalidArgument in the words of the API server: the manifest is defaulted and validated as one
// that is applied.
Result<ReplayedManifest> ReadReplayedManifest(const std::string& path);

}  // namespace updraft::cli
