// One PortForward call: a connection to a port inside of an instance.
#pragma once

#include <memory>
#include <string>

#include "core/base/unique_fd.h"
#include "node-agent/instance/instance_host.h"
#include "node-agent/service/duplex_call.h"
#include "node-agent/session/inside_socket.h"
#include "updraft/v1/node.pb.h"

namespace updraft::node_agent {

class ForwardCall final : public DuplexCall<v1::PortForwardInput, v1::PortForwardOutput>, private FdObserver {
 public:
  // All must outlive the gRPC server.
  ForwardCall(Loop& loop, const InstanceHost& host, ContainerRuntime& runtime)
      : DuplexCall(loop), host_(host), runtime_(runtime) {}
  ~ForwardCall() override { Close(); }

 private:
  enum class State { kNew, kConnecting, kConnected };

  void OnMessage(v1::PortForwardInput message) override;
  void OnWritten() override { Pump(); }
  void OnOver() override { Close(); }
  void OnReady(uint32_t events) override;

  void Begin(const v1::PortForwardStart& start);
  void OnRecord(const Result<ContainerRecord>& record);
  void Connect(Loopback address);
  void OnConnected();
  void OnFailed(const Error& why);
  void Pump();
  void PumpInput();
  void PumpOutput();
  void Close();

  const InstanceHost& host_;
  ContainerRuntime& runtime_;
  State state_ = State::kNew;
  std::string namespace_path_;
  uint16_t port_ = 0;
  Loopback address_ = Loopback::kIpv4;
  Loop::TimerId timer_ = 0;
  UniqueFd socket_;
  bool readable_ = false;
  std::string rest_;             // of the input, not taken by the socket yet
  bool input_ended_ = false;     // and the socket was told, or takes no more
  bool output_ended_ = false;    // and the caller was told
};

}  // namespace updraft::node_agent
