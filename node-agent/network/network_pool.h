// The networks of instances on this node: each a namespace with an address on the bridge, made
// ahead of need.
//
// A claim takes one that is ready, in microseconds; a thread of its own makes the next ones and
// removes released ones, many at a time. What is claimed survives this object and this process: the
// next agent adopts it.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/loop.h"
#include "core/base/result.h"
#include "node-agent/network/namespace_builder.h"

namespace updraft::node_agent {

struct ClaimedNetwork {
  std::string namespace_path;  // for the OCI spec
  std::string address;         // "10.89.0.7"
  std::string gateway;         // "10.89.0.1": this machine, as instances see it
  int prefix_bits = 0;
  uint32_t mtu = 0;
};

// All public functions are safe for concurrent use; callbacks run on the loop.
class NetworkPool {
 public:
  struct Options {
    std::string bridge = "updraft0";
    std::string subnet = "10.89.0.0/16";
    std::string run;         // namespaces are pinned in its folder "netns"
    size_t ready_count = 4;  // to hold ready
  };
  using Done = std::function<void(Result<ClaimedNetwork>)>;

  // Makes the bridge and sets up egress (a failure of that alone is logged: instances then cannot
  // reach the world, but can serve), finds what an earlier agent left, and begins to fill the pool.
  // Blocks for some 30 ms. Needs root.
  static Result<std::unique_ptr<NetworkPool>> Start(Loop& loop, const Options& options);

  // Removes what nobody claimed, leaves the rest.
  ~NetworkPool();
  NetworkPool(const NetworkPool&) = delete;
  NetworkPool& operator=(const NetworkPool&) = delete;

  // `done` runs from within the call if a network is ready or the instance has one already, else
  // later. REQUIRES: loop thread.
  void Claim(const std::string& instance, Done done);

  // The network that the instance has; nullopt: none.
  std::optional<ClaimedNetwork> Find(const std::string& instance) const;

  // What an earlier agent's instances have.
  std::vector<std::string> Claims() const;

  // Releases all claims that this object has found at its start and that Adopt() was not called
  // for.
  void Adopt(const std::string& instance);
  void AdoptionIsOver();

  // The network is removed some time later. A claim under way is undone: its `done` does not run.
  // No effect for an instance that has none. REQUIRES: the instance's processes are gone.
  void Release(const std::string& instance);

  size_t ready_count() const;
  const BridgeFacts& bridge() const { return bridge_; }

 private:
  struct Waiting {
    std::string instance;
    Done done;
  };
  struct Work {
    enum class Kind { kStop, kBuild, kRemove, kNothing } kind = Kind::kNothing;
    std::vector<Ipv4> remove;
  };

  NetworkPool(Loop& loop, const Options& options, const NamespaceFolder& folder,
              NamespaceBuilder builder, AddressPool addresses);

  Status TakeOver();
  void Run();
  Work NextWork(std::unique_lock<std::mutex>& lock);
  void BuildOne();
  void RemoveSome(const std::vector<Ipv4>& addresses);
  void Deliver(Ipv4 address);
  void ReleaseLocked(const std::string& instance);
  ClaimedNetwork Describe(Ipv4 address) const;

  Loop& loop_;
  const size_t ready_count_;
  const NamespaceFolder folder_;
  const BridgeFacts bridge_;
  const std::shared_ptr<std::atomic<bool>> alive_ = std::make_shared<std::atomic<bool>>(true);

  // The worker's thread only, once it runs.
  NamespaceBuilder builder_;

  // Guarded by mutex_.
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  AddressPool addresses_;
  std::deque<Ipv4> ready_;
  std::map<std::string, Ipv4> claims_;
  std::set<std::string> not_adopted_;
  std::deque<Waiting> waiting_;
  std::vector<Ipv4> released_;
  std::optional<TimePoint> released_since_;
  std::optional<TimePoint> build_again_at_;  // after a failure
  bool stopping_ = false;

  std::unique_ptr<NamedThread> worker_;
};

}  // namespace updraft::node_agent
