// Which OCI runtime runs the containers: crun where it works on this host, runc otherwise.
#pragma once

#include <string>

#include "cli/platform/config.h"

namespace updraft::cli {

enum class CgroupLayout { kV1, kV2, kHybrid };

// How this host mounts its cgroups: cgroup2 alone, the v1 controllers, or both.
CgroupLayout DetectCgroupLayout();
std::string ToString(CgroupLayout layout);

// What a trial run of a runtime showed.
struct RuntimeTrial {
  std::string name;     // crun or runc
  std::string binary;   // empty: not installed
  std::string version;  // first line of --version
  bool works = false;
  std::string failure;  // its last words when it does not
};

struct RuntimeChoice {
  std::string name;
  std::string binary;
  std::string reason;  // a sentence for the user
};

// `wanted`: auto, crun or runc. kFailedPrecondition, with what each runtime said, when none works. Pure.
Result<RuntimeChoice> ChooseRuntime(const std::string& wanted, CgroupLayout layout, const RuntimeTrial& crun,
                                    const RuntimeTrial& runc);

// Runs /bin/true in a container of `name`, in a scratch folder, with limits set, and removes every trace;
// with `hide_unified_cgroup` in a mount namespace without the cgroup2 mount. REQUIRES: root.
RuntimeTrial TryRuntime(const std::string& name, bool hide_unified_cgroup, const std::string& scratch);

}  // namespace updraft::cli
