// Commands in instances and connections to their ports, through the agents of their nodes.
#pragma once

#include <memory>
#include <string>

#include "controller/instances/fleet_loop.h"
#include "controller/nodes/node_server.h"
#include "controller/streaming/session_source.h"

namespace updraft::controller {

// Loop thread only.
class InstanceSessions : public SessionSource {
 public:
  // Both must outlive it.
  InstanceSessions(const FleetLoop& fleet_loop, const NodeServer& nodes)
      : fleet_loop_(fleet_loop), nodes_(nodes) {}

  Result<std::unique_ptr<ExecSession>> Exec(const ExecRequest& request) override;
  Result<std::unique_ptr<PortConnection>> Connect(const std::string& ns, const std::string& pod,
                                                  uint16_t port) override;

 private:
  Result<std::shared_ptr<AgentClient>> AgentOf(const std::string& ns, const std::string& pod) const;

  const FleetLoop& fleet_loop_;
  const NodeServer& nodes_;
};

}  // namespace updraft::controller
