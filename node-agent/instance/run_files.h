// The files that an instance's containers see beside their image: hosts, hostname, resolv.conf, volumes, the
// termination message. Blocks for as long as a small file takes.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "node-agent/instance/sub_path.h"
#include "node-agent/spec/mounts.h"
#include "updraft/v1/node.pb.h"

namespace updraft::node_agent {

struct RunFilesOptions {
  std::string run_directory;    // small and secret files; best on a tmpfs
  std::string state_directory;  // what instances keep on disk while they live, and what claims keep for longer
  std::string resolv_conf = "/etc/resolv.conf";  // the machine's
  std::string service_names = {};  // address of a server that knows the names of services; empty: none does
};

// An emptyDir that nothing but a look at it keeps to its limit.
struct LimitedDirectory {
  std::string instance_id;
  v1::EmptyDir limit;
  std::string path;
};

class RunFiles {
 public:
  explicit RunFiles(RunFilesOptions options) : options_(std::move(options)) {}

  // Writes what all instances share. Call it once, first.
  Status Start() const;

  // Writes all files of an instance; again for one that has them. kInvalidArgument: a file's path leaves its volume.
  Status Write(const v1::InstanceSpec& spec, const std::string& ip) const;

  // Empties the container's termination message and says where everything is.
  Result<MountSources> Sources(const v1::InstanceSpec& spec, const v1::Container& container) const;

  // What the container is to find where it mounts parts of volumes that containers may write to. After Sources().
  Result<std::vector<PinnedMount>> Pin(const v1::InstanceSpec& spec, const v1::Container& container) const;

  std::vector<LimitedDirectory> LimitedDirectories(const v1::InstanceSpec& spec) const;

  // At most 4096 bytes, as in Kubernetes; empty when there is none.
  std::string TerminationMessage(const std::string& instance_id, const std::string& container) const;

  // What the directories of claims lie in; they stay when instances go.
  std::string ClaimsDirectory() const { return options_.state_directory + "/claims"; }

  void Remove(const std::string& instance_id) const;
  // Removes the files of every instance that `keep` does not know.
  void RemoveOthers(const std::function<bool(const std::string& instance_id)>& keep) const;

 private:
  std::string InstanceDirectory(const std::string& instance_id) const;
  std::string DiskDirectory(const std::string& instance_id) const;
  std::string EmptyDirectory(const std::string& instance_id, const v1::EmptyDir& dir) const;

  const RunFilesOptions options_;
};

}  // namespace updraft::node_agent
