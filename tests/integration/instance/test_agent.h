// The instance half of a node-agent over a real containerd, with a prepared root file system instead of images
// and the host's network instead of a bridge. Destroying it is what kill -9 is to the containers.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/base/loop.h"
#include "node-agent/containerd/containerd_runtime.h"
#include "node-agent/instance/disk_limits.h"
#include "node-agent/instance/instance_host.h"
#include "node-agent/instance/instance_logs.h"
#include "node-agent/probe/network_probe_runner.h"
#include "tests/integration/instance/private_containerd.h"

namespace updraft::node_agent {

class FixedImage final : public ImageSource {
 public:
  explicit FixedImage(std::string root) { image_.root = std::move(root); image_.config.entrypoint = {"/app"}; }
  void Ensure(const v1::InstanceSpec&, const v1::Container&, Done done) override { done(image_); }
  void Forget(const UsableImage&) override {}

 private:
  UsableImage image_;
};

class HostNetwork final : public NetworkSource {
 public:
  void Claim(const std::string&, Done done) override { done(InstanceNetwork{"/proc/self/ns/net", "127.0.0.1"}); }
  Result<InstanceNetwork> Adopt(const std::string&) override { return InstanceNetwork{"/proc/self/ns/net", "127.0.0.1"}; }
  void AdoptionIsOver() override {}
  void Release(const std::string&) override {}
};

struct TestAgentOptions {
  std::string runtime_binary = "/usr/bin/crun";
  std::string cgroup_parent = "/updraft-test";
  ShimSharing shim_sharing = ShimSharing::kNone;
  bool compiled_seccomp = true;
  RestartPolicy restarts = {};
  size_t creates_max = 4;
};

class TestAgent {
 public:
  TestAgent(const PrivateContainerd& containerd, TestAgentOptions options);
  ~TestAgent();

  // Blocks until what the runtime held has been taken up.
  void WaitUntilReady();
  void Start(const v1::InstanceSpec& spec);
  void Stop(const std::string& instance_id, Nanos grace);
  int StopAll(Nanos grace);
  v1::InstanceInventory Inventory();

  using Condition = std::function<bool(const v1::InstanceReport&)>;
  // The first report about the instance, from the last one waited for on, that meets the condition. Fails the
  // test after `limit`.
  v1::InstanceReport WaitFor(const std::string& instance_id, const Condition& condition, Nanos limit = Seconds(30));
  v1::InstanceReport WaitForPhase(const std::string& instance_id, v1::InstancePhase phase, Nanos limit = Seconds(30));

  // All that containerd holds in our namespace.
  RuntimeContents Contents();
  std::string Log(const std::string& instance_id, const std::string& container);

  template <typename T>
  T OnLoop(std::function<T()> what) {
    std::promise<T> promise;
    thread_->loop().Post([&promise, &what] { promise.set_value(what()); });
    return promise.get_future().get();
  }
  ContainerRuntime& runtime() { return parts_->runtime; }
  Loop& loop() { return thread_->loop(); }

 private:
  struct Parts {
    Parts(Loop& loop, const PrivateContainerd& containerd, const TestAgentOptions& options,
          InstanceHostCallbacks callbacks);
    ContainerdClient client;
    ContainerdRuntime runtime;
    FixedImage images;
    HostNetwork networks;
    RunFiles files;
    SpecSource specs;
    TaskExecRunner execs;
    NetworkProbeRunner probes;
    LogStore log_store;
    InstanceLogs logs;
    AdmissionGate gate;
    InstanceHost host;
    DiskLimits disk_limits;
  };

  void OnReport(const v1::InstanceReport& report);

  std::mutex mutex_;
  std::condition_variable changed_;
  bool ready_ = false;
  std::map<std::string, std::deque<v1::InstanceReport>> reports_;  // not waited for yet
  std::unique_ptr<LoopThread> thread_;
  std::unique_ptr<Parts> parts_;  // loop thread only
};

// GET; the body, or "" when nobody answers.
std::string Get(uint16_t port, const std::string& target);
uint16_t FreePort();

// An instance with one serving container that executes /app with `arguments`.
v1::InstanceSpec Spec(const std::string& id, uint16_t port, const std::vector<std::string>& arguments);

}  // namespace updraft::node_agent
