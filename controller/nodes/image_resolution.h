// Image tags become digests where the pull will be made: on a node.
#pragma once

#include "controller/nodes/node_server.h"
#include "controller/reconcile/image_resolver.h"

namespace updraft::controller {

class AgentImageResolver : public ImageResolver {
 public:
  explicit AgentImageResolver(const NodeServer& nodes) : nodes_(nodes) {}

  // digest-resolution-timeout: for those that begin from now on.
  void SetTimeout(Nanos timeout) { timeout_ = timeout; }

  // kUnavailable when no node-agent is connected.
  http::Task<Result<std::string>> Resolve(std::string image,
                                          std::vector<v1::ImageAuth> auth) override;

 private:
  const NodeServer& nodes_;
  Nanos timeout_ = Seconds(10);
};

}  // namespace updraft::controller
