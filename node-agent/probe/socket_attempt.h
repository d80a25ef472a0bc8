// A probe attempt over one TCP connection. As it stands: the tcp probe, which asks for no more than
// the connection. The http probe (http_attempt.h) goes on from there.
#pragma once

#include "core/base/loop.h"
#include "node-agent/probe/peer_address.h"
#include "node-agent/probe/probe_runner.h"

namespace updraft::node_agent {

// Loop thread only.
class SocketAttempt : public ProbeAttempt, protected FdObserver {
 public:
  struct Peer {
    std::string ip{};
    uint16_t port = 0;
  };

  SocketAttempt(Loop& loop, Peer peer, Nanos timeout, ProbeDone done);
  ~SocketAttempt() override;

  // Call once, after construction.
  void Begin();

 protected:
  // Both may end in Finish(), after which the object may be gone: return at once.
  virtual void OnConnected() { Finish(ProbeResult::kSuccess, ""); }
  virtual void OnTraffic(uint32_t /*events*/) {}
  virtual std::string DescribeFailure(const std::string& cause) const;
  virtual std::string DescribeTimeout() const;

  void Finish(ProbeResult result, std::string message);
  void Fail(const std::string& cause) { Finish(ProbeResult::kFailure, DescribeFailure(cause)); }
  void Want(uint32_t events);
  int fd() const { return fd_.get(); }
  std::string Where() const { return HostPort(peer_.ip, peer_.port); }

 private:
  void OnReady(uint32_t events) final;
  void FinishSoon(std::string cause);
  void Close();

  Loop& loop_;
  const Peer peer_;
  const Nanos timeout_;
  ProbeDone done_;
  UniqueFd fd_;
  bool watched_ = false;
  bool connected_ = false;
  Loop::TimerId timer_ = 0;
};

}  // namespace updraft::node_agent
