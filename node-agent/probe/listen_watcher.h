// Tells when a port begins to accept connections, within a fraction of the time it took to get
// there.
//
// It connects again and again: a port that nobody listens on answers with a reset at once, so one
// try costs two packets over the bridge. The pauses begin short, since most containers listen
// within milliseconds of their start, and grow slowly.
#pragma once

#include <algorithm>
#include <functional>

#include "core/base/loop.h"
#include "node-agent/probe/peer_address.h"

namespace updraft::node_agent {

// The pauses between tries. Pure.
struct PollPace {
  Nanos first = std::chrono::microseconds(500);
  Nanos most = Millis(25);
  double growth = 1.15;  // > 1; about 25 tries in the first 100 ms

  Nanos After(Nanos pause) const {
    return std::min(most, Nanos(static_cast<int64_t>(static_cast<double>(pause.count()) * growth)));
  }
};

// Loop thread only. At most one connection at a time, closed at once when it is made. Destroying it
// ends the watch.
class ListenWatcher : private FdObserver {
 public:
  // Calls `listening` once, on the loop, never from within the constructor; the watcher may be
  // destroyed from there. It tries until then: who has a deadline destroys it.
  ListenWatcher(Loop& loop, const PeerAddress& peer, std::function<void()> listening,
                PollPace pace = {});
  ~ListenWatcher();
  ListenWatcher(const ListenWatcher&) = delete;
  ListenWatcher& operator=(const ListenWatcher&) = delete;

  // The process was started just now: tries at once and begins with short pauses again.
  void Hurry();

 private:
  void Try();
  void OnReady(uint32_t events) override;
  void Pause();
  void Abandon();

  Loop& loop_;
  const PeerAddress peer_;
  const PollPace pace_;
  std::function<void()> listening_;
  UniqueFd fd_;  // a try under way
  Nanos pause_;
  Loop::TimerId timer_ = 0;
};

}  // namespace updraft::node_agent
