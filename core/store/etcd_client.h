// Calls to an etcd cluster: to one endpoint at a time, to the next one once it fails.
//
// A call waits until an endpoint has shown that it answers (it is a member with a quorum), then is
// sent. So a call that is not to be repeated fails for want of a connection only if that breaks
// under it. Every call has a deadline.
//
// Safe for concurrent use. Callbacks run on gRPC's threads.
#pragma once

#include <grpcpp/alarm.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/support/client_callback.h>

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "core/store/etcd_options.h"
#include "core/store/store.h"
#include "etcd/rpc.grpc.pb.h"

namespace updraft::store {

// kOutOfRange, kInvalidArgument, kCancelled, kPermissionDenied, kUnauthenticated; all else is
// kUnavailable.
Error ErrorOf(const grpc::Status& status);

class EtcdClient {
 public:
  using Kv = etcdserverpb::KV::StubInterface::async_interface;
  template <typename Request, typename Response>
  using Method = void (Kv::*)(grpc::ClientContext*, const Request*, Response*,
                              std::function<void(grpc::Status)>);

  // Whether a call that may have been carried out is sent again.
  enum class Repeat { kNever, kUntilAnswered };

  struct Endpoint {
    std::string address = {};
    std::unique_ptr<etcdserverpb::KV::StubInterface> kv = {};
    std::unique_ptr<etcdserverpb::Watch::StubInterface> watch = {};
  };
  // Which endpoint a call went to, so that its failure is not laid to the next one.
  using Turn = uint64_t;
  using Start = std::function<void(Endpoint&, Turn)>;
  using Fail = std::function<void(const Error&)>;

  EtcdClient(const EtcdOptions& options,
             const std::shared_ptr<grpc::ChannelCredentials>& credentials, std::string probe_key);
  // Close() came before.
  ~EtcdClient();
  EtcdClient(const EtcdClient&) = delete;
  EtcdClient& operator=(const EtcdClient&) = delete;

  // `done` runs once.
  template <typename Request, typename Response>
  void Call(Method<Request, Response> method, Request request, Repeat repeat,
            std::function<void(Result<Response>)> done) {
    auto call = std::make_shared<Running<Request, Response>>();
    call->method = method;
    call->request = std::move(request);
    call->repeat = repeat;
    call->done = std::move(done);
    call->give_up = RealClock().Now() + options_.patience;
    Send(std::move(call));
  }

  // Runs one of the two: `start` with an endpoint that answers, `fail` once `give_up` has passed.
  void Acquire(TimePoint give_up, Start start, Fail fail);
  // What has been got from `turn`'s endpoint was an error of its own: the next one is looked for.
  void Failed(Turn turn, const grpc::Status& status);

  // For streams. Between the two Close() waits, and cancels `context` at its beginning. Enter: 0
  // once closed. Leave destroys the context first: it may be the last to hold a connection, which
  // must not be taken down on a thread of gRPC's when nobody waits any more.
  using CallId = uint64_t;
  CallId Enter(grpc::ClientContext* context);
  void Leave(CallId id, std::unique_ptr<grpc::ClientContext> context);

  // Runs `callback` after `delay`, or not at all once closed.
  void After(Nanos delay, std::function<void()> callback);

  // Fails all that waits, cancels all that runs, and waits until gRPC has let go of it: no callback
  // runs after it. Once.
  void Close();

  Nanos call_deadline() const { return options_.call_deadline; }
  Nanos patience() const { return options_.patience; }

 private:
  template <typename Request, typename Response>
  struct Running {
    Method<Request, Response> method = nullptr;
    std::unique_ptr<grpc::ClientContext> context = {};
    CallId id = 0;
    Request request = {};
    Response response = {};
    Repeat repeat = Repeat::kNever;
    TimePoint give_up = {};
    std::function<void(Result<Response>)> done = {};
  };
  struct Waiting {
    TimePoint give_up = {};
    Start start = {};
    Fail fail = {};
  };

  template <typename Request, typename Response>
  void Send(std::shared_ptr<Running<Request, Response>> call) {
    const TimePoint give_up = call->give_up;
    Acquire(
        give_up, [this, call](Endpoint& endpoint, Turn turn) { SendTo(endpoint, turn, call); },
        [call](const Error& error) { call->done(error); });
  }

  template <typename Request, typename Response>
  void SendTo(Endpoint& endpoint, Turn turn, std::shared_ptr<Running<Request, Response>> call) {
    call->context = std::make_unique<grpc::ClientContext>();
    call->response = Response();
    Prepare(*call->context, options_.call_deadline);
    call->id = Enter(call->context.get());
    if (call->id == 0) {
      call->done(Error{Code::kCancelled, "the store is closed"});
      return;
    }
    (endpoint.kv->async()->*call->method)(
        call->context.get(), &call->request, &call->response,
        [this, call, turn](const grpc::Status& status) {
          std::unique_ptr<grpc::ClientContext> context = std::move(call->context);
          const CallId id = call->id;
          if (status.ok()) {
            call->done(std::move(call->response));
          } else {
            Failed(turn, status);
            if (call->repeat == Repeat::kUntilAnswered && IsOfEndpoint(status)) {
              Send(call);
            } else {
              call->done(ErrorOf(status));
            }
          }
          Leave(id, std::move(context));
        });
  }

  static bool IsOfEndpoint(const grpc::Status& status);
  static void Prepare(grpc::ClientContext& context, Nanos deadline);
  void Probe();
  void OnProbed(const grpc::Status& status);
  // The caller holds mutex_.
  void ProbeSoon();
  std::vector<Waiting> TakeExpired();

  const EtcdOptions options_;
  const std::string probe_key_;
  std::vector<Endpoint> endpoints_;

  // Guarded by mutex_.
  std::mutex mutex_;
  std::condition_variable idle_;
  bool closed_ = false;
  bool answers_ = false;  // the endpoint of this turn
  bool probing_ = false;
  Turn turn_ = 0;     // turn_ % endpoints_.size() is in use
  int failures_ = 0;  // probes in a row
  std::string last_error_ = "not asked yet";
  std::deque<Waiting> waiting_;
  std::map<CallId, grpc::ClientContext*> running_;  // null: it is being destroyed
  CallId last_call_ = 0;
  std::map<uint64_t, std::shared_ptr<grpc::Alarm>> alarms_;
  uint64_t last_alarm_ = 0;
  std::minstd_rand random_;
};

// Reads the files. kFailedPrecondition: one of them cannot be read.
Result<std::shared_ptr<grpc::ChannelCredentials>> CredentialsOf(const EtcdTls& tls);

}  // namespace updraft::store
