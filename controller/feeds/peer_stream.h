// One bidirectional gRPC stream that a peer opened, as the loop sees it: messages come to it one at
// a time, and are sent from it in order. The same for node-agents, activators and the autoscaler.
#pragma once

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <utility>

#include "core/base/loop.h"

namespace updraft::controller {

// Messages that may wait for a peer that does not read; beyond it the stream is ended, and the
// peer's next one begins with everything anyway.
inline constexpr size_t kQueuedMessagesMax = 10'000;

template <typename In, typename Out>
class PeerStream;

// Told on the loop. OnOpened comes first, OnEnded last and once. Outlives all streams that tell it.
template <typename In, typename Out>
class PeerObserver {
 public:
  using Stream = std::shared_ptr<PeerStream<In, Out>>;

  virtual void OnOpened(Stream stream) = 0;
  // The next message is not read before this returns.
  virtual void OnMessage(const Stream& stream, In message) = 0;
  // All that was sent has been taken by the transport.
  virtual void OnFlushed(const Stream& stream) = 0;
  virtual void OnEnded(const Stream& stream) = 0;

 protected:
  ~PeerObserver() = default;
};

template <typename In, typename Out>
class PeerStream : public grpc::ServerBidiReactor<In, Out>,
                   public std::enable_shared_from_this<PeerStream<In, Out>> {
 public:
  // For a service's method to return: it lives until the call is done and nobody holds it.
  static PeerStream* Accept(Loop& loop, PeerObserver<In, Out>& observer) {
    auto stream = std::make_shared<PeerStream>(loop, observer);
    stream->self_ = stream;
    loop.Post([stream] { stream->observer_.OnOpened(stream); });
    stream->ReadNext();
    return stream.get();
  }

  PeerStream(Loop& loop, PeerObserver<In, Out>& observer)
      : loop_(loop), observer_(observer), id_(NextId()) {}

  uint64_t id() const { return id_; }  // unlike that of any other stream of the process, never 0

  // Loop thread. Without effect once the stream has ended.
  void Send(Out message) {
    const std::lock_guard lock(mutex_);
    if (ending_) return;
    if (queue_.size() >= kQueuedMessagesMax) {
      EndLocked({grpc::StatusCode::RESOURCE_EXHAUSTED, "the peer does not read"});
      return;
    }
    queue_.push_back(std::move(message));
    if (queue_.size() == 1) this->StartWrite(&queue_.front());
  }

  // Nothing waits to be sent.
  bool idle() {
    const std::lock_guard lock(mutex_);
    return queue_.empty();
  }

  void End(grpc::Status status) {
    const std::lock_guard lock(mutex_);
    EndLocked(std::move(status));
  }

 private:
  static uint64_t NextId() {
    static std::atomic<uint64_t> next{1};  // only has to differ
    return next.fetch_add(1);
  }

  void ReadNext() {
    const std::lock_guard lock(mutex_);
    if (!finished_) this->StartRead(&incoming_);
  }

  void OnReadDone(bool ok) override {
    auto self = this->shared_from_this();
    if (ok) {
      loop_.Post([self, message = std::move(incoming_)]() mutable {
        self->observer_.OnMessage(self, std::move(message));
        self->ReadNext();
      });
      incoming_ = In();
      return;
    }
    End(grpc::Status::OK);
    loop_.Post([self] { self->observer_.OnEnded(self); });
  }

  void OnWriteDone(bool ok) override {
    bool flushed = false;
    {
      const std::lock_guard lock(mutex_);
      queue_.pop_front();
      if (!ok || ending_) queue_.clear();
      if (!queue_.empty()) this->StartWrite(&queue_.front());
      flushed = queue_.empty() && !ending_;
      FinishIfDue();
    }
    if (flushed) loop_.Post([self = this->shared_from_this()] { self->observer_.OnFlushed(self); });
  }

  void OnDone() override { self_.reset(); }

  void EndLocked(grpc::Status status) {
    if (ending_) return;
    ending_ = true;
    status_ = std::move(status);
    if (queue_.size() > 1)
      queue_.erase(queue_.begin() + 1, queue_.end());  // the first is being written
    FinishIfDue();
  }

  void FinishIfDue() {
    if (!ending_ || finished_ || !queue_.empty()) return;
    finished_ = true;
    this->Finish(status_);
  }

  Loop& loop_;
  PeerObserver<In, Out>& observer_;
  const uint64_t id_;
  In incoming_;
  std::shared_ptr<PeerStream> self_;  // until OnDone

  std::mutex mutex_;
  // Guarded by mutex_.
  std::deque<Out> queue_;  // the first is being written
  bool ending_ = false;
  bool finished_ = false;
  grpc::Status status_;
};

}  // namespace updraft::controller
