// The pool of networks as instances see it.
#pragma once

#include <utility>

#include "node-agent/instance/surroundings.h"
#include "node-agent/network/network_pool.h"

namespace updraft::node_agent {

class PoolNetworks final : public NetworkSource {
 public:
  // `pool` must outlive the networks.
  explicit PoolNetworks(NetworkPool& pool) : pool_(pool) {}

  void Claim(const std::string& instance_id, Done done) override {
    pool_.Claim(instance_id, [done = std::move(done)](const Result<ClaimedNetwork>& network) {
      if (network) {
        done(InstanceNetwork{.namespace_path = network->namespace_path, .ip = network->address});
      } else {
        done(network.error());
      }
    });
  }

  Result<InstanceNetwork> Adopt(const std::string& instance_id) override {
    const auto network = pool_.Find(instance_id);
    if (!network) return Error{Code::kNotFound, "its network is gone"};
    pool_.Adopt(instance_id);
    return InstanceNetwork{.namespace_path = network->namespace_path, .ip = network->address};
  }

  void AdoptionIsOver() override { pool_.AdoptionIsOver(); }
  void Release(const std::string& instance_id) override { pool_.Release(instance_id); }

 private:
  NetworkPool& pool_;
};

}  // namespace updraft::node_agent
