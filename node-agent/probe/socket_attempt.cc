#include "node-agent/probe/socket_attempt.h"

#include <sys/epoll.h>

#include <cstring>

namespace updraft::node_agent {

SocketAttempt::SocketAttempt(Loop& loop, Peer peer, Nanos timeout, ProbeDone done)
    : loop_(loop), peer_(std::move(peer)), timeout_(timeout), done_(std::move(done)) {}

SocketAttempt::~SocketAttempt() { Close(); }

void SocketAttempt::Begin() {
  const Result<PeerAddress> address = PeerAddress::Of(peer_.ip, peer_.port);
  if (!address) return FinishSoon(address.error().message);
  Connecting connecting = StartConnect(*address);
  if (connecting.error != 0)
    return FinishSoon(std::string("connect: ") + strerror(connecting.error));
  fd_ = std::move(connecting.fd);
  loop_.Watch(fd_.get(), EPOLLOUT,
              this);  // also when connected: nothing is told from within Start()
  watched_ = true;
  timer_ = loop_.After(timeout_, [this] {
    timer_ = 0;
    Finish(ProbeResult::kFailure, DescribeTimeout());
  });
}

void SocketAttempt::FinishSoon(std::string cause) {
  timer_ = loop_.After(Nanos(0), [this, cause = std::move(cause)] {
    timer_ = 0;
    const std::string kept = cause;  // Finish() may destroy this lambda's owner
    Fail(kept);
  });
}

void SocketAttempt::OnReady(uint32_t events) {
  if (connected_) return OnTraffic(events);
  const int error = ConnectError(fd_.get());
  if (error != 0) return Fail(std::string("connect: ") + strerror(error));
  connected_ = true;
  OnConnected();
}

std::string SocketAttempt::DescribeFailure(const std::string& cause) const {
  return "dial tcp " + Where() + ": " + cause;
}

std::string SocketAttempt::DescribeTimeout() const {
  return "dial tcp " + Where() + ": i/o timeout";
}

void SocketAttempt::Want(uint32_t events) { loop_.Modify(fd_.get(), events, this); }

void SocketAttempt::Finish(ProbeResult result, std::string message) {
  Close();
  const ProbeDone done = std::exchange(done_, nullptr);
  done({result, std::move(message)});
}

void SocketAttempt::Close() {
  loop_.Cancel(timer_);
  if (std::exchange(watched_, false)) loop_.Unwatch(fd_.get(), this);
  fd_.Reset();
}

}  // namespace updraft::node_agent
