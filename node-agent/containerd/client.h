// The one channel to containerd: every call of this process goes through it, with containerd's namespace
// in its metadata and with a deadline. Results are posted to the loop.
//
//   auto stub = leases::Leases::NewStub(client.channel());
//   client.Call(stub->async(), &leases::Leases::StubInterface::async_interface::Create, request,
//               {.deadline = Seconds(5)}, [](Result<leases::CreateResponse> response) { ... });
//
// A containerd that goes away fails calls with kUnavailable; the channel reconnects by itself, at first
// after 50 ms, at most after 1 s. Call(), Stream() and Cancel() are safe for concurrent use.
#pragma once

#include <grpcpp/grpcpp.h>
#include <grpcpp/support/client_callback.h>

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <type_traits>
#include <utility>

#include "core/base/clock.h"
#include "core/base/grpc_status.h"
#include "core/base/loop.h"
#include "core/base/result.h"

namespace updraft::node_agent {

struct ContainerdOptions {
  std::string address = "unix:/run/updraft/containerd/containerd.sock";  // gRPC target
  std::string containerd_namespace = "updraft";
};

struct CallOptions {
  Nanos deadline = Seconds(10);  // 0: none; for streams that live as long as the process
  std::string lease = {};        // id of the containerd lease that holds what the call makes
  bool wait_for_ready = false;   // wait for containerd to come back, up to the deadline
};

class ContainerdClient {
 public:
  using CallId = uint64_t;  // 0 is never a call

  ContainerdClient(Loop& loop, ContainerdOptions options);
  // Cancels all calls and waits until gRPC has let go of them. What was posted before may still run.
  ~ContainerdClient();
  ContainerdClient(const ContainerdClient&) = delete;
  ContainerdClient& operator=(const ContainerdClient&) = delete;

  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }
  Loop& loop() const { return loop_; }

  // Namespace, lease and deadline for a call that is made without Call() or Stream(), such as a
  // bidirectional stream.
  void Prepare(grpc::ClientContext& context, const CallOptions& options) const;

  // Runs one unary call. `done` runs on the loop, exactly once.
  template <typename Async, typename Request, typename Response>
  CallId Call(std::type_identity_t<Async>* stub,
              void (Async::*method)(grpc::ClientContext*, const Request*, Response*,
                                    std::function<void(grpc::Status)>),
              std::type_identity_t<Request> request, const CallOptions& options,
              std::type_identity_t<std::function<void(Result<Response>)>> done) {
    struct Running {
      grpc::ClientContext context;
      Request request;
      Response response;
      std::function<void(Result<Response>)> done;
    };
    auto running = std::make_shared<Running>();
    running->request = std::move(request);
    running->done = std::move(done);
    Prepare(running->context, options);
    const CallId id = Enter(&running->context);
    (stub->*method)(&running->context, &running->request, &running->response,
                    [this, running, id](const grpc::Status& status) {
                      loop_.Post([running, status] {
                        if (status.ok()) {
                          running->done(std::move(running->response));
                        } else {
                          running->done(FromGrpc(status));
                        }
                      });
                      Leave(id);
                    });
    return id;
  }

  // Reads a server's stream. `message` runs on the loop for each message in order, then `done` once.
  template <typename Async, typename Request, typename Response>
  CallId Stream(std::type_identity_t<Async>* stub,
                void (Async::*method)(grpc::ClientContext*, const Request*,
                                      grpc::ClientReadReactor<Response>*),
                std::type_identity_t<Request> request, const CallOptions& options,
                std::type_identity_t<std::function<void(Response)>> message,
                std::function<void(Status)> done) {
    auto* reader = new StreamReader<Request, Response>{*this, std::move(request), std::move(message), std::move(done)};
    Prepare(reader->context, options);
    reader->id = Enter(&reader->context);
    const CallId id = reader->id;  // the reader may be gone as soon as it has started
    (stub->*method)(&reader->context, &reader->request, reader);
    reader->StartRead(&reader->response);
    reader->StartCall();
    return id;
  }

  // Ends a call early; its `done` runs with kCancelled unless it has ended already.
  void Cancel(CallId id);

 private:
  // Owns itself from StartCall() to OnDone().
  template <typename Request, typename Response>
  struct StreamReader final : grpc::ClientReadReactor<Response> {
    StreamReader(ContainerdClient& owner, Request what, std::function<void(Response)> on_message,
                 std::function<void(Status)> on_done)
        : client(owner),
          request(std::move(what)),
          message(std::make_shared<std::function<void(Response)>>(std::move(on_message))),
          done(std::move(on_done)) {}

    void OnReadDone(bool ok) override {
      if (!ok) return;
      client.loop_.Post([message = message, response = std::move(response)]() mutable {
        (*message)(std::move(response));
      });
      response = Response();
      this->StartRead(&response);
    }

    void OnDone(const grpc::Status& status) override {
      client.loop_.Post([message = message, done = std::move(done), status] { done(ToStatus(status)); });
      client.Leave(id);  // before the context goes: Cancel() may be looking at it
      delete this;
    }

    ContainerdClient& client;
    CallId id = 0;
    grpc::ClientContext context;
    Request request;
    Response response;
    std::shared_ptr<std::function<void(Response)>> message;
    std::function<void(Status)> done;
  };

  CallId Enter(grpc::ClientContext* context);
  void Leave(CallId id);

  Loop& loop_;
  const ContainerdOptions options_;
  const std::shared_ptr<grpc::Channel> channel_;

  // Guarded by mutex_.
  std::mutex mutex_;
  std::condition_variable idle_;
  CallId next_call_ = 1;
  std::map<CallId, grpc::ClientContext*> running_;
};

}  // namespace updraft::node_agent
