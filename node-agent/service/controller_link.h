// The node's side of NodeService: says all that it runs, then what changes; carries out what it is told. A
// controller that is away stops nothing.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/base/loop.h"
#include "core/rpc/link.h"
#include "node-agent/image/image_store.h"
#include "node-agent/instance/instance_host.h"
#include "updraft/v1/node.grpc.pb.h"

namespace updraft::node_agent {

struct ControllerLinkCallbacks {
  std::function<v1::NodeStatus()> status;                          // now
  std::function<void(const v1::InstanceSpec& spec)> start;         // instead of the host's own, for counting
  std::function<void(const v1::KeepClaims& kept)> keep_claims;     // all there are
  std::function<void(const v1::RemoveClaim& gone)> remove_claim;
};

// Loop thread only.
class ControllerLink final : private rpc::LinkObserver<v1::ControllerMessage> {
 public:
  // Connects at once. REQUIRES: host.ready(): the inventory must be complete. All must outlive the link.
  ControllerLink(Loop& loop, const std::string& controller, v1::NodeHello hello, InstanceHost& host, ImageStore& images,
                 ControllerLinkCallbacks callbacks);
  ~ControllerLink();

  bool connected() const { return link_.connected(); }
  void Report(const v1::InstanceReport& report);

 private:
  void OnConnected() override;
  void OnMessage(v1::ControllerMessage message) override;
  void OnDisconnected(const Error& why) override;
  void OnDesired(const v1::DesiredInstances& desired);
  void OnPrepare(const v1::PrepareImage& prepare);
  void SendStatus();
  void SendUsage();

  Loop& loop_;
  const v1::NodeHello hello_;
  InstanceHost& host_;
  ImageStore& images_;
  const ControllerLinkCallbacks callbacks_;
  Loop::TimerId status_timer_ = 0;
  Loop::TimerId usage_timer_ = 0;
  const std::unique_ptr<v1::NodeService::Stub> stub_;
  rpc::Link<v1::NodeMessage, v1::ControllerMessage> link_;  // last: it tells us of things from its start on
};

}  // namespace updraft::node_agent
