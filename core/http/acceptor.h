// A listening socket and the connections that come through it. Loop thread only.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/loop.h"
#include "core/base/result.h"
#include "core/base/timer_wheel.h"
#include "core/base/unique_fd.h"
#include "core/http/address.h"

namespace updraft::http {

enum class PortSharing { kExclusive, kShared };

// kUnavailable: the address is taken or not ours.
Result<UniqueFd> BindListener(const SocketAddress& address, PortSharing sharing);
uint16_t BoundPort(int fd);

// Takes accepted connections.
class ConnectionSink {
 public:
  virtual void OnConnection(UniqueFd socket, std::string peer) = 0;
  // False: no more for now; asked again when the acceptor next looks.
  virtual bool WantsConnections() const = 0;

 protected:
  ~ConnectionSink() = default;
};

// Accepts in batches; a connection when its first bytes are there, or after a second. While its sink wants none, or the
// process has no descriptors left, connections wait in the kernel's queue and it looks again every 50 ms.
class Acceptor final : private FdObserver, private Timer {
 public:
  Acceptor(Loop& loop, UniqueFd socket, ConnectionSink& sink);
  ~Acceptor();

  int socket() const { return socket_.get(); }

  // Everything that is in the kernel's queue, which closing the socket would refuse.
  void AcceptWhatWaits();

 private:
  enum class Outcome { kAccepted, kNone, kPause };

  void OnReady(uint32_t events) override;
  void OnTimer() override;
  Outcome AcceptOne();
  void Pause();

  Loop& loop_;
  UniqueFd socket_;
  ConnectionSink& sink_;
  int accepts_next_ = 1;     // in a turn: as many as lately came at once
  bool complained_ = false;  // since a connection was last accepted
};

}  // namespace updraft::http
