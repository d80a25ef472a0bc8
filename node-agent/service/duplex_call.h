// One bidirectional call of AgentService, as the loop sees it: at most one read and one write are under way, each asked
// for, so that neither side runs ahead of the other.
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <utility>

#include "core/base/loop.h"

namespace updraft::node_agent {

// gRPC calls it on its threads; what is protected is for the loop's thread alone.
template <typename In, typename Out>
class DuplexCall : public grpc::ServerBidiReactor<In, Out>, public std::enable_shared_from_this<DuplexCall<In, Out>> {
 public:
  // For a service's method to return: it lives until the call is done. The first message is read at once.
  template <typename Call, typename... Arguments>
  static Call* Accept(Arguments&&... arguments) {
    auto call = std::make_shared<Call>(std::forward<Arguments>(arguments)...);
    DuplexCall* base = call.get();
    base->self_ = call;
    base->reading_ = true;
    base->StartRead(&base->incoming_);
    return call.get();
  }
  virtual ~DuplexCall() = default;

 protected:
  explicit DuplexCall(Loop& loop) : loop_(loop) {}

  // The next message. The caller's end of its side is not told: what that means is said by messages.
  virtual void OnMessage(In message) = 0;
  // A Write() can be done.
  virtual void OnWritten() = 0;
  // The caller is gone, or the call was ended. Once, last, before destruction on the loop.
  virtual void OnOver() = 0;

  void ReadNext() {
    if (ended_ || input_ended_ || std::exchange(reading_, true)) return;
    this->StartRead(&incoming_);
  }
  bool reading() const { return reading_; }

  // REQUIRES: !writing().
  void Write(Out message) {
    if (ended_) return;
    outgoing_ = std::move(message);
    writing_ = true;
    this->StartWrite(&outgoing_);
  }
  bool writing() const { return writing_; }

  // What was written is sent before it.
  void End(const grpc::Status& status) {
    if (std::exchange(ended_, true)) return;
    status_ = status;
    if (!writing_) this->Finish(status_);
    OnOver();
  }
  bool ended() const { return ended_; }
  Loop& loop() const { return loop_; }

 private:
  void OnReadDone(bool ok) override {
    loop_.Post([self = this->shared_from_this(), ok] {
      self->reading_ = false;
      self->input_ended_ = !ok;
      if (ok && !self->ended_) self->OnMessage(std::exchange(self->incoming_, In()));
    });
  }

  void OnWriteDone(bool ok) override {
    loop_.Post([self = this->shared_from_this(), ok] {
      self->writing_ = false;
      if (self->ended_) return self->Finish(self->status_);
      if (!ok) return self->End(grpc::Status::CANCELLED);
      self->OnWritten();
    });
  }

  void OnCancel() override {
    loop_.Post([self = this->shared_from_this()] { self->End(grpc::Status::CANCELLED); });
  }

  void OnDone() override {
    loop_.Post([self = std::move(self_)] {});  // the last one to let go does so on the loop
  }

  Loop& loop_;
  std::shared_ptr<DuplexCall> self_;  // until OnDone
  // gRPC's while reading_ or writing_, else the loop's.
  In incoming_;
  Out outgoing_;
  // Loop thread only.
  bool reading_ = false;
  bool writing_ = false;
  bool input_ended_ = false;
  bool ended_ = false;
  grpc::Status status_;
};

}  // namespace updraft::node_agent
