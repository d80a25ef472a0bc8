#include "controller/nodes/agent_client.h"

#include <atomic>
#include <deque>
#include <utility>

#include "core/base/grpc_status.h"

namespace updraft::controller {
namespace {

std::shared_ptr<grpc::Channel> Connect(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 50);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  // Agents of nodes that are gone must not share a connection with those that took their address.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

struct ResolveCall {
  explicit ResolveCall(Loop& loop) : done_signal(loop) {}

  grpc::ClientContext context;
  v1::ResolveImageRequest request;
  v1::ResolveImageResponse response;
  grpc::Status status;
  bool done = false;
  http::Signal done_signal;
};

// Ends the call when the one who waits for it is destroyed.
struct CancelOnExit {
  std::shared_ptr<ResolveCall> call;
  ~CancelOnExit() {
    if (!call->done) call->context.TryCancel();
  }
};

}  // namespace

// Chunks reach the loop one at a time; the next is read when the last one is taken.
class LogReader::Call : public grpc::ClientReadReactor<v1::LogChunk>,
                        public std::enable_shared_from_this<Call> {
 public:
  Call(Loop& loop, v1::ReadLogsRequest request)
      : loop_(loop), request_(std::move(request)), signal_(loop) {}

  void Start(v1::AgentService::Stub& stub) {
    self_ = shared_from_this();
    stub.async()->ReadLogs(&context_, &request_, this);
    AddHold();  // reads are started from the loop, at any time
    ReadNext();
    StartCall();
  }

  http::Task<Result<std::optional<std::string>>> Next() {
    while (!chunk_ && !status_ && !abandoned_) co_await signal_.Wait();
    if (abandoned_) co_return Error{Code::kCancelled, "nobody reads any more"};
    if (chunk_) {
      std::optional<std::string> taken = std::exchange(chunk_, std::nullopt);
      if (!status_) ReadNext();
      co_return taken;
    }
    if (status_->ok()) co_return std::optional<std::string>();
    co_return FromGrpc(*status_);
  }

  void Abandon() {
    if (std::exchange(abandoned_, true)) return;
    signal_.Notify();
    context_.TryCancel();
    if (!reading_) LetGo();
  }

 private:
  void ReadNext() {
    reading_ = true;
    StartRead(&incoming_);
  }

  void OnReadDone(bool ok) override {
    if (!ok) {
      LetGo();
      return;
    }
    auto self = shared_from_this();
    Loop& loop = loop_;
    loop.Post([self = std::move(self)] {
      self->reading_ = false;
      if (self->abandoned_) {
        self->LetGo();
        return;
      }
      self->chunk_ = std::move(*self->incoming_.mutable_data());
      self->signal_.Notify();
    });
  }

  void OnDone(const grpc::Status& status) override {
    Loop& loop = loop_;
    loop.Post([self = std::move(self_), status] {
      self->status_ = status;
      self->signal_.Notify();
    });
  }

  void LetGo() {
    if (!let_go_.exchange(true)) RemoveHold();
  }

  Loop& loop_;
  grpc::ClientContext context_;
  v1::ReadLogsRequest request_;
  v1::LogChunk incoming_;
  std::shared_ptr<Call> self_;  // until OnDone
  std::atomic<bool> let_go_{false};

  // Loop thread only.
  http::Signal signal_;
  bool reading_ = false;
  bool abandoned_ = false;
  std::optional<std::string> chunk_;
  std::optional<grpc::Status> status_;
};

http::Task<Result<std::optional<std::string>>> LogReader::Next() { return call_->Next(); }

void LogReader::Cancel() { call_->Abandon(); }

LogReader::~LogReader() {
  if (call_) call_->Abandon();
}

AgentClient::AgentClient(Loop& loop, const std::string& address)
    : loop_(loop), address_(address), stub_(v1::AgentService::NewStub(Connect(address))) {}

http::Task<Result<std::string>> AgentClient::ResolveImage(std::string image,
                                                          std::vector<v1::ImageAuth> auth,
                                                          Nanos timeout) {
  auto call = std::make_shared<ResolveCall>(loop_);
  call->request.set_image(std::move(image));
  for (v1::ImageAuth& credential : auth) *call->request.add_auth() = std::move(credential);
  call->context.set_deadline(std::chrono::system_clock::time_point(
      std::chrono::duration_cast<std::chrono::system_clock::duration>(
          RealClock().Wall().time_since_epoch() + timeout)));
  call->context.set_wait_for_ready(true);  // an agent that is being restarted is no reason to fail
  const CancelOnExit cancel{call};
  Loop* loop = &loop_;
  // The loop's closure is the last to hold the call, so that it is destroyed on the loop's thread.
  stub_->async()->ResolveImage(&call->context, &call->request, &call->response,
                               [call, loop](grpc::Status status) mutable {
                                 loop->Post([call = std::move(call), status] {
                                   call->status = status;
                                   call->done = true;
                                   call->done_signal.Notify();
                                 });
                               });
  while (!call->done) co_await call->done_signal.Wait();
  if (!call->status.ok()) co_return FromGrpc(call->status);
  co_return call->response.digest();
}

AgentClient::ExecStream AgentClient::Exec() {
  return ExecStream(loop_, [this](grpc::ClientContext* context, auto* reactor) {
    stub_->async()->Exec(context, reactor);
  });
}

AgentClient::PortForwardStream AgentClient::PortForward() {
  return PortForwardStream(loop_, [this](grpc::ClientContext* context, auto* reactor) {
    stub_->async()->PortForward(context, reactor);
  });
}

LogReader AgentClient::ReadLogs(v1::ReadLogsRequest request) {
  auto call = std::make_shared<LogReader::Call>(loop_, std::move(request));
  call->Start(*stub_);
  return LogReader(std::move(call));
}

}  // namespace updraft::controller
