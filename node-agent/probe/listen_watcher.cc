#include "node-agent/probe/listen_watcher.h"

#include <sys/epoll.h>

#include <utility>

namespace updraft::node_agent {
namespace {

// A lost first packet (an address that is still being set up, a full backlog) would be repeated by
// the kernel after a second only: a new try is quicker.
constexpr Nanos kTryMax = Millis(20);

}  // namespace

ListenWatcher::ListenWatcher(Loop& loop, const PeerAddress& peer, std::function<void()> listening,
                             PollPace pace)
    : loop_(loop), peer_(peer), pace_(pace), listening_(std::move(listening)), pause_(pace.first) {
  Try();
}

ListenWatcher::~ListenWatcher() { Abandon(); }

void ListenWatcher::Hurry() {
  if (!listening_) return;
  Abandon();
  pause_ = pace_.first;
  Try();
}

void ListenWatcher::Try() {
  Connecting connecting = StartConnect(peer_);
  if (connecting.error != 0) return Pause();
  fd_ = std::move(connecting.fd);
  loop_.Watch(fd_.get(), EPOLLOUT, this);
  timer_ = loop_.After(kTryMax, [this] {
    Abandon();
    Try();
  });
}

void ListenWatcher::OnReady(uint32_t /*events*/) {
  const int error = ConnectError(fd_.get());
  Abandon();
  if (error != 0) return Pause();
  const std::function<void()> listening = std::exchange(listening_, nullptr);
  listening();  // last: it may destroy the watcher
}

void ListenWatcher::Pause() {
  timer_ = loop_.After(std::exchange(pause_, pace_.After(pause_)), [this] { Try(); });
}

void ListenWatcher::Abandon() {
  loop_.Cancel(std::exchange(timer_, 0));
  if (!fd_) return;
  loop_.Unwatch(fd_.get(), this);
  fd_.Reset();
}

}  // namespace updraft::node_agent
