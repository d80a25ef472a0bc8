#include "node-agent/probe/grpc_health_client.h"

#include <grpcpp/grpcpp.h>

#include "grpc/health/v1/health.grpc.pb.h"
#include "node-agent/probe/peer_address.h"

namespace updraft::node_agent {
namespace {

namespace health = grpc::health::v1;

std::shared_ptr<grpc::Channel> ChannelTo(const GrpcCall& call) {
  grpc::ChannelArguments arguments;
  arguments.SetUserAgentPrefix("kube-probe/1.32");
  // A shared subchannel would remember the last refusal and not look again for a second.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  const std::string scheme = call.ip.find(':') == std::string::npos ? "ipv4:" : "ipv6:";
  return grpc::CreateCustomChannel(scheme + HostPort(call.ip, call.port),
                                   grpc::InsecureChannelCredentials(), arguments);
}

ProbeOutcome OutcomeOf(const grpc::Status& status, const health::HealthCheckResponse& response) {
  if (status.ok()) {
    if (response.status() == health::HealthCheckResponse::SERVING)
      return {ProbeResult::kSuccess, ""};
    return {ProbeResult::kFailure,
            "service unhealthy (responded with \"" +
                health::HealthCheckResponse::ServingStatus_Name(response.status()) + "\")"};
  }
  switch (status.error_code()) {
    case grpc::StatusCode::UNIMPLEMENTED:
      return {ProbeResult::kFailure,
              "this server does not implement the grpc health protocol (grpc.health.v1.Health)"};
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return {ProbeResult::kFailure, "timeout: health rpc did not complete in time"};
    case grpc::StatusCode::UNAVAILABLE:
      return {ProbeResult::kFailure,
              "timeout: failed to connect service: " + status.error_message()};
    default:
      return {ProbeResult::kFailure, "error: health rpc failed: " + status.error_message()};
  }
}

}  // namespace

// Shared by the attempt, which may be destroyed any time, and gRPC, which needs it until the call
// has ended.
struct GrpcHealthClient::Call {
  explicit Call(const GrpcCall& call) : stub(health::Health::NewStub(ChannelTo(call))) {
    request.set_service(call.service);
  }
  std::unique_ptr<health::Health::Stub> stub;
  grpc::ClientContext context;
  health::HealthCheckRequest request;
  health::HealthCheckResponse response;
  grpc::Status status;
  ProbeDone done;  // loop thread only; empty once the attempt is gone
};

class GrpcHealthClient::Attempt final : public ProbeAttempt {
 public:
  explicit Attempt(std::shared_ptr<Call> call) : call_(std::move(call)) {}
  ~Attempt() override {
    call_->done = nullptr;
    call_->context.TryCancel();
  }

 private:
  const std::shared_ptr<Call> call_;
};

GrpcHealthClient::~GrpcHealthClient() {
  std::unique_lock lock(mutex_);
  no_calls_.wait(lock, [this] { return calls_ == 0; });
}

std::unique_ptr<ProbeAttempt> GrpcHealthClient::Start(const GrpcCall& to, Nanos timeout,
                                                      ProbeDone done) {
  const auto call = std::make_shared<Call>(to);
  call->done = std::move(done);
  call->context.set_deadline(RealClock().Wall() + timeout);
  {
    const std::lock_guard lock(mutex_);
    ++calls_;
  }
  call->stub->async()->Check(&call->context, &call->request, &call->response,
                             [this, ended = call](grpc::Status status) mutable {
                               ended->status = std::move(status);
                               // Nothing of it stays on this thread: with the last channel of the process gRPC ends its
                               // threads, and it does not notice that one would wait for itself.
                               loop_.Post([ended = std::move(ended)] {
                                 const ProbeDone told = std::exchange(ended->done, nullptr);
                                 if (told) told(OutcomeOf(ended->status, ended->response));
                               });
                               CallEnded();
                             });
  return std::make_unique<Attempt>(call);
}

void GrpcHealthClient::CallEnded() {
  const std::lock_guard lock(mutex_);
  --calls_;
  no_calls_.notify_all();
}

}  // namespace updraft::node_agent
