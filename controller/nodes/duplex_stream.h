// One bidirectional call of an agent, as coroutines on the loop see it: what is received is not
// read ahead of more than one message, what is sent waits until the transport has taken it. Loop
// thread only.
#pragma once

#include <grpcpp/grpcpp.h>
#include <grpcpp/support/client_callback.h>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "core/base/grpc_status.h"
#include "core/base/loop.h"
#include "core/base/result.h"
#include "core/http/sync.h"
#include "core/http/task.h"

namespace updraft::controller {

template <typename Out, typename In>
class DuplexStream {
 public:
  // Opens a call: calls the stub's async() method with the context and the reactor.
  using Open = std::function<void(grpc::ClientContext*, grpc::ClientBidiReactor<Out, In>*)>;

  DuplexStream(Loop& loop, const Open& open) : call_(std::make_shared<Call>(loop)) {
    call_->Start(open);
  }
  ~DuplexStream() {
    if (call_) call_->Abandon();
  }
  DuplexStream(DuplexStream&&) noexcept = default;
  DuplexStream& operator=(DuplexStream&&) = delete;

  // nullopt: the agent has ended the call well. One coroutine.
  http::Task<Result<std::optional<In>>> Next() { return call_->Next(); }
  // One coroutine. An error says only that the call has ended: Next() tells how.
  http::Task<Status> Write(Out message) { return call_->Write(std::move(message)); }
  // Ends the call; every wait ends with kCancelled.
  void Cancel() { call_->Abandon(); }

 private:
  class Call;
  std::shared_ptr<Call> call_;
};

// gRPC calls it on its threads; it lives until gRPC is done with it.
template <typename Out, typename In>
class DuplexStream<Out, In>::Call : public grpc::ClientBidiReactor<Out, In>,
                                    public std::enable_shared_from_this<Call> {
 public:
  explicit Call(Loop& loop) : loop_(loop), received_(loop), taken_(loop) {}

  void Start(const Open& open) {
    self_ = this->shared_from_this();
    open(&context_, this);
    this->AddHold();  // reads and writes are started from the loop, at any time
    ReadNext();
    this->StartCall();
  }

  http::Task<Result<std::optional<In>>> Next() {
    while (!message_ && !status_ && !abandoned_) co_await received_.Wait();
    if (abandoned_) co_return Error{Code::kCancelled, "nobody is there any more"};
    if (message_) {
      std::optional<In> taken = std::exchange(message_, std::nullopt);
      if (!input_ended_) ReadNext();
      co_return taken;
    }
    if (status_->ok()) co_return std::optional<In>();
    co_return FromGrpc(*status_);
  }

  http::Task<Status> Write(Out message) {
    if (abandoned_ || output_ended_) co_return Ended();
    outgoing_ = std::move(message);
    writing_ = true;
    this->StartWrite(&outgoing_);
    while (writing_ && !abandoned_) co_await taken_.Wait();
    if (abandoned_ || output_ended_) co_return Ended();
    co_return Ok();
  }

  void Abandon() {
    if (std::exchange(abandoned_, true)) return;
    received_.Notify();
    taken_.Notify();
    context_.TryCancel();
    LetGoIfIdle();
  }

 private:
  static Error Ended() { return {Code::kUnavailable, "the call has ended"}; }

  void ReadNext() {
    reading_ = true;
    this->StartRead(&incoming_);
  }

  void OnReadDone(bool ok) override {
    loop_.Post([self = this->shared_from_this(), ok] {
      self->reading_ = false;
      self->input_ended_ = !ok;
      if (ok && !self->abandoned_) self->message_ = std::exchange(self->incoming_, In());
      self->received_.Notify();
      self->LetGoIfIdle();
    });
  }

  void OnWriteDone(bool ok) override {
    loop_.Post([self = this->shared_from_this(), ok] {
      self->writing_ = false;
      if (!ok) self->output_ended_ = true;
      self->taken_.Notify();
      self->LetGoIfIdle();
    });
  }

  void OnDone(const grpc::Status& status) override {
    loop_.Post([self = std::move(self_), status] {
      self->status_ = status;
      self->received_.Notify();
    });
  }

  // Nothing more is started once nobody reads, or there is nothing more to read.
  void LetGoIfIdle() {
    if (reading_ || writing_ || !(abandoned_ || input_ended_) || let_go_) return;
    let_go_ = true;
    output_ended_ = true;
    this->RemoveHold();
  }

  Loop& loop_;
  grpc::ClientContext context_;
  std::shared_ptr<Call> self_;  // until OnDone
  // gRPC's while reading_ or writing_, else the loop's.
  In incoming_;
  Out outgoing_;
  // Loop thread only.
  http::Signal received_;
  http::Signal taken_;
  bool reading_ = false;
  bool writing_ = false;
  bool input_ended_ = false;
  bool output_ended_ = false;
  bool abandoned_ = false;
  bool let_go_ = false;
  std::optional<In> message_;
  std::optional<grpc::Status> status_;
};

}  // namespace updraft::controller
