// One Exec call: a process in a container, for as long as its caller is there.
#pragma once

#include <memory>

#include "node-agent/instance/instance_host.h"
#include "node-agent/service/duplex_call.h"
#include "node-agent/session/exec_processes.h"
#include "updraft/v1/node.pb.h"

namespace updraft::node_agent {

class CommandCall final : public DuplexCall<v1::ExecInput, v1::ExecOutput> {
 public:
  // All must outlive the gRPC server.
  CommandCall(Loop& loop, const InstanceHost& host, ExecProcesses& processes)
      : DuplexCall(loop), host_(host), processes_(processes) {}

 private:
  void OnMessage(v1::ExecInput message) override;
  void OnWritten() override { Pump(); }
  void OnOver() override { process_.reset(); }

  void Begin(const v1::ExecStart& start);
  // Moves what can be moved.
  void Pump();
  void PumpOutput();

  const InstanceHost& host_;
  ExecProcesses& processes_;
  std::unique_ptr<ExecSession> process_;
  bool start_told_ = false;
  bool exit_told_ = false;
};

}  // namespace updraft::node_agent
