// The logs of instances, read where they are written: through the agents of their nodes.
#pragma once

#include "controller/api_server/log_source.h"
#include "controller/instances/fleet_loop.h"
#include "controller/nodes/node_server.h"

namespace updraft::controller {

// Loop thread only.
class InstanceLogs : public LogSource {
 public:
  // Both must outlive it.
  InstanceLogs(const FleetLoop& fleet_loop, const NodeServer& nodes)
      : fleet_loop_(fleet_loop), nodes_(nodes) {}

  std::unique_ptr<LogStream> Open(LogRequest request) override;

 private:
  const FleetLoop& fleet_loop_;
  const NodeServer& nodes_;
};

}  // namespace updraft::controller
