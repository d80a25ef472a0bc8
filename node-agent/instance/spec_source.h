// Makes the OCI spec of one run from all that it depends on; remembers what is costly to find out again.
// Loop thread only.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "node-agent/instance/run_files.h"
#include "node-agent/instance/surroundings.h"
#include "node-agent/spec/host_facts.h"
#include "node-agent/spec/oci_spec.h"
#include "node-agent/spec/user.h"

namespace updraft::node_agent {

// Whether containers share a shim process with others. A shim that dies takes all of its containers with it.
enum class ShimSharing { kNone, kPerRevision };

struct SpecSourceOptions {
  std::string cgroup_parent = "/updraft";
  ShimSharing shim_sharing = ShimSharing::kNone;
  bool compiled_seccomp = false;  // the runtime is crun, which takes the policy compiled
  std::string node_name = {};
  std::string host_ip = {};
};

struct RunRequest {
  const v1::InstanceSpec* instance = nullptr;
  const v1::Container* container = nullptr;
  std::string container_id;
  const UsableImage* image = nullptr;
  InstanceNetwork network;
};

struct RunSpec {
  nlohmann::json oci;
  std::vector<PinnedMount> pinned;  // to be found in the created container before it starts
};

class SpecSource {
 public:
  // `files` must outlive the source.
  SpecSource(SpecSourceOptions options, HostFacts host, const RunFiles& files);

  // Whether the image's users are known; else Learn() is needed before Make().
  bool Knows(const UsableImage& image) const { return users_.contains(image.root); }
  // Reads /etc/passwd and /etc/group from a snapshot that was prepared on the image.
  Status Learn(const UsableImage& image, const std::vector<SnapshotMount>& root);

  // kInvalidArgument and kFailedPrecondition: the container asks for something impossible.
  // REQUIRES: Knows(*request.image).
  Result<RunSpec> Make(const RunRequest& request);

  std::string CgroupOf(const std::string& container_id) const { return options_.cgroup_parent + "/" + container_id; }

 private:
  std::string CompiledSeccomp(const std::vector<std::string>& capabilities);

  const SpecSourceOptions options_;
  const HostFacts host_;
  const RunFiles& files_;
  std::map<std::string, UserFiles> users_;          // by the image's root snapshot
  std::map<std::vector<std::string>, std::string> seccomp_;  // by granted capabilities
};

}  // namespace updraft::node_agent
