// What instances need of the rest of the agent, beside the container runtime: images, networks, logs.
// Loop thread only. Callbacks run on the loop, once, and may run from within the call.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "core/base/result.h"
#include "node-agent/containerd/container_runtime.h"
#include "node-agent/image/image_config.h"
#include "updraft/v1/node.pb.h"

namespace updraft::node_agent {

// An image that is unpacked.
struct UsableImage {
  std::string digest;
  std::string root;  // key of the snapshot that containers' root file systems are prepared on
  ImageConfig config;
};

class ImageSource {
 public:
  using Done = std::function<void(Result<UsableImage>)>;
  virtual ~ImageSource() = default;

  // Pulls and unpacks what is missing, as the container's pull policy says. kInvalidArgument: the reference is
  // none; kFailedPrecondition: it may not be pulled and is not here; anything else: it could not be pulled.
  virtual void Ensure(const v1::InstanceSpec& instance, const v1::Container& container, Done done) = 0;
  // Its snapshot was gone when a container needed it: the next Ensure() looks again.
  virtual void Forget(const UsableImage& image) = 0;
};

struct InstanceNetwork {
  std::string namespace_path;
  std::string ip;
};

class NetworkSource {
 public:
  using Done = std::function<void(Result<InstanceNetwork>)>;
  virtual ~NetworkSource() = default;

  virtual void Claim(const std::string& instance_id, Done done) = 0;
  // The network that an instance of an earlier agent still has.
  virtual Result<InstanceNetwork> Adopt(const std::string& instance_id) = 0;
  // All that may be adopted has been: whatever else an earlier agent left is removed.
  virtual void AdoptionIsOver() = 0;
  // REQUIRES: its processes are gone. No effect for one that has none; a claim under way is undone.
  virtual void Release(const std::string& instance_id) = 0;
};

struct LogKey {
  std::string instance_id;
  std::string container;  // name
  int run = 0;
  bool operator<(const LogKey& other) const {
    return std::tie(instance_id, container, run) < std::tie(other.instance_id, other.container, other.run);
  }
};

class LogSource {
 public:
  virtual ~LogSource() = default;

  // Before anything else of an instance.
  virtual void Begin(const v1::InstanceSpec& instance) = 0;
  // Every instance that lives has been told of.
  virtual void AdoptionIsOver() = 0;
  // Where the run's output goes, and begins to read it; also for a run of an earlier agent.
  virtual Result<TaskStdio> Open(const LogKey& key) = 0;
  // The run's process has ended: `done` runs when all that it wrote has been taken, in bounded time. Again, or
  // for a run that was never opened: at once.
  virtual void Finish(const LogKey& key, std::function<void()> done) = 0;
  // The end of what has been taken, as long as Kubernetes makes a termination message.
  virtual std::string TerminationMessage(const LogKey& key) = 0;
  // The instance is over.
  virtual void End(const std::string& instance_id) = 0;
};

}  // namespace updraft::node_agent
