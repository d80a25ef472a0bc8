// A bidirectional gRPC stream to a server, kept open: when it breaks it is opened again with back-off. As the loop
// sees it: messages come one at a time, and are sent in order.
//
// Streams of Updraft are level-triggered: the observer sends everything in OnConnected, so that what was under way when
// a stream broke needs no care.
#pragma once

#include <grpcpp/grpcpp.h>
#include <grpcpp/support/client_callback.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <utility>

#include "core/base/backoff.h"
#include "core/base/grpc_status.h"
#include "core/base/loop.h"

namespace updraft::rpc {

// Messages that may wait for a server that does not read; beyond it the stream is opened anew.
inline constexpr size_t kLinkQueueMax = 10'000;
inline constexpr BackoffPolicy kLinkBackoff = {.first = Millis(50), .most = Seconds(1)};

// Told on the loop. OnConnected follows when the server has taken the stream, OnDisconnected when that one has ended.
template <typename In>
class LinkObserver {
 public:
  virtual void OnConnected() = 0;
  virtual void OnMessage(In message) = 0;
  virtual void OnDisconnected(const Error& why) = 0;

 protected:
  ~LinkObserver() = default;
};

// Loop thread only, and so is the destructor. `Out` is what is sent, `In` what is received.
template <typename Out, typename In>
class Link {
 public:
  // Opens a stream: calls the stub's async() method with the context and the reactor.
  using Open = std::function<void(grpc::ClientContext*, grpc::ClientBidiReactor<Out, In>*)>;

  // Connects at once. `loop` and `observer` must outlive the link.
  Link(Loop& loop, LinkObserver<In>& observer, Open open)
      : loop_(loop), observer_(observer), open_(std::move(open)), random_(std::random_device()()) {
    Connect();
  }
  ~Link() {
    loop_.Cancel(retry_);
    if (stream_) stream_->Abandon();
  }
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  bool connected() const { return connected_; }

  // Without effect while there is no connection.
  void Send(Out message) {
    if (connected_) stream_->Send(std::move(message));
  }

 private:
  class Stream;

  void Connect() {
    stream_ = std::make_shared<Stream>(loop_, this);
    stream_->Begin(open_);
  }

  void OnOpen() {
    connected_ = true;
    failures_ = 0;
    observer_.OnConnected();
  }

  void OnEnd(const grpc::Status& status) {
    stream_.reset();
    const bool was_connected = std::exchange(connected_, false);
    const Nanos wait = BackoffDelay(kLinkBackoff, ++failures_, std::uniform_real_distribution<>(0, 1)(random_));
    retry_ = loop_.After(wait, [this] { Connect(); });
    if (was_connected) observer_.OnDisconnected(status.ok() ? Error{Code::kUnavailable, "the peer ended the stream"} : FromGrpc(status));
  }

  Loop& loop_;
  LinkObserver<In>& observer_;
  const Open open_;
  std::minstd_rand random_;
  std::shared_ptr<Stream> stream_;
  bool connected_ = false;
  int failures_ = 0;
  Loop::TimerId retry_ = 0;
};

// gRPC calls it on its threads, the link on the loop; it lives until gRPC is done with it.
template <typename Out, typename In>
class Link<Out, In>::Stream : public grpc::ClientBidiReactor<Out, In>, public std::enable_shared_from_this<Stream> {
 public:
  Stream(Loop& loop, Link* link) : loop_(loop), link_(link) {}

  void Begin(const Open& open) {
    self_ = this->shared_from_this();
    open(&context_, this);
    // Held until Abandon: writes are started from the loop, outside of gRPC's callbacks.
    this->AddHold();
    this->StartRead(&incoming_);
    this->StartCall();
  }

  void Send(Out message) {
    const std::lock_guard lock(mutex_);
    if (ended_) return;
    if (queue_.size() >= kLinkQueueMax) {
      context_.TryCancel();
      return;
    }
    queue_.push_back(std::move(message));
    if (queue_.size() == 1) this->StartWrite(&queue_.front());
  }

  // The link forgets the stream and hears no more of it. Returns when gRPC is done with it, which does not take long
  // once it is cancelled: the loop may go with the link, and is told of the end before.
  void Abandon() {
    link_ = nullptr;
    context_.TryCancel();
    ReleaseHold();
    std::unique_lock lock(mutex_);
    done_changed_.wait_for(lock, kEndPatience, [this] { return done_; });
  }

 private:
  void OnReadInitialMetadataDone(bool ok) override {
    if (ok) loop_.Post([self = this->shared_from_this()] { if (self->link_ != nullptr) self->link_->OnOpen(); });
  }

  void OnReadDone(bool ok) override {
    if (!ok) {
      ReleaseHold();
      return;
    }
    // The next read may begin as soon as the loop has this one: `incoming_` is gRPC's from there on.
    In message = std::exchange(incoming_, In());
    loop_.Post([self = this->shared_from_this(), message = std::move(message)]() mutable {
      if (self->link_ == nullptr) return;
      self->link_->observer_.OnMessage(std::move(message));
      self->ReadNext();
    });
  }

  void ReadNext() {
    const std::lock_guard lock(mutex_);
    if (!ended_) this->StartRead(&incoming_);
  }

  void OnWriteDone(bool ok) override {
    const std::lock_guard lock(mutex_);
    queue_.pop_front();
    if (!ok || ended_) queue_.clear();
    if (!queue_.empty()) this->StartWrite(&queue_.front());
  }

  void ReleaseHold() {
    const std::lock_guard lock(mutex_);
    if (std::exchange(ended_, true)) return;
    this->RemoveHold();
  }

  void OnDone(const grpc::Status& status) override {
    loop_.Post([self = this->shared_from_this(), status] { if (self->link_ != nullptr) self->link_->OnEnd(status); });
    const std::shared_ptr<Stream> last = std::move(self_);
    const std::lock_guard lock(mutex_);
    done_ = true;
    done_changed_.notify_all();
  }

  Loop& loop_;
  grpc::ClientContext context_;
  In incoming_;
  std::shared_ptr<Stream> self_;  // until OnDone
  Link* link_;                    // loop thread only

  static constexpr std::chrono::seconds kEndPatience{5};

  std::mutex mutex_;
  std::condition_variable done_changed_;
  // Guarded by mutex_.
  std::deque<Out> queue_;  // the first is being written
  bool ended_ = false;
  bool done_ = false;  // OnDone has been here
};

// Of one message: a full state of 100,000 routes takes a third of it.
inline constexpr int kMessageBytesMax = 64 << 20;

// Whether a peer that has fallen silent is noticed though nothing is sent: in kKeepaliveMillis, and half as much again.
// Only where the server allows it.
enum class Keepalive { kNo, kYes };
inline constexpr int kKeepaliveMillis = 20'000;

// A channel that tries again within the link's back-off. `target`: a gRPC target, "unix:/path".
inline std::shared_ptr<grpc::Channel> MakeChannel(const std::string& target, Keepalive keepalive = Keepalive::kNo) {
  grpc::ChannelArguments arguments;
  if (keepalive == Keepalive::kYes) {
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMillis);
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveMillis / 2);
    arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);  // no bound
  }
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 50);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 500);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetMaxReceiveMessageSize(kMessageBytesMax);
  return grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), arguments);
}

}  // namespace updraft::rpc
