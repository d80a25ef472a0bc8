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

namespace updraft::rpc {

// Messages that may wait for a peer that does not read; beyond it the stream is ended, and the
// peer's next one begins with everything anyway.
inline constexpr size_t kQueuedMessagesMax = 10'000;

template <typename In, typename Out>
class PeerStream;

// Told on the loop. OnOpened comes first, OnEnded last and once. Destroyed on the loop, once the
// gRPC server is shut down; what was on its way then is not told.
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

  // Expires with the observer.
  std::weak_ptr<const int> life() const { return life_; }

 protected:
  ~PeerObserver() = default;

 private:
  const std::shared_ptr<const int> life_ = std::make_shared<int>(0);
};

template <typename In, typename Out>
class PeerStream : public grpc::ServerBidiReactor<In, Out>,
                   public std::enable_shared_from_this<PeerStream<In, Out>> {
 public:
  using Observer = PeerObserver<In, Out>;
  using Stream = typename Observer::Stream;

  // For a service's method to return: it lives until the call is done and nobody holds it.
  static PeerStream* Accept(Loop& loop, Observer& observer) {
    auto stream = std::make_shared<PeerStream>(loop, observer);
    stream->self_ = stream;
    stream->StartSendInitialMetadata();  // tells the peer that it is connected, whoever speaks first
    stream->Tell([](Observer& told, const Stream& opened) { told.OnOpened(opened); });
    stream->ReadNext();
    return stream.get();
  }

  PeerStream(Loop& loop, Observer& observer)
      : loop_(loop), observer_(observer), observer_life_(observer.life()), id_(NextId()) {}

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

  // Has `telling` done on the loop.
  template <typename Telling>
  void Tell(Telling telling) {
    loop_.Post([self = this->shared_from_this(), telling = std::move(telling)]() mutable {
      if (!self->observer_life_.expired()) telling(self->observer_, self);
    });
  }

  // A stream that ended while a message was with the observer has no read to end with.
  void ReadNext() {
    {
      const std::lock_guard lock(mutex_);
      if (!finished_) return this->StartRead(&incoming_);
    }
    Tell([](Observer& observer, const Stream& stream) { observer.OnEnded(stream); });
  }

  // The peer is gone, or the server shuts down; the loop may be waiting for just that.
  void OnCancel() override { End(grpc::Status::CANCELLED); }

  void OnReadDone(bool ok) override {
    if (ok) {
      In message = std::exchange(incoming_, In());
      Tell([message = std::move(message)](Observer& observer, const Stream& stream) mutable {
        observer.OnMessage(stream, std::move(message));
        stream->ReadNext();
      });
      return;
    }
    const auto self = this->shared_from_this();  // the end may come before this returns
    End(grpc::Status::OK);
    Tell([](Observer& observer, const Stream& stream) { observer.OnEnded(stream); });
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
    if (flushed) Tell([](Observer& observer, const Stream& stream) { observer.OnFlushed(stream); });
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
  Observer& observer_;  // on the loop, while observer_life_ lasts
  const std::weak_ptr<const int> observer_life_;
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

}  // namespace updraft::rpc
