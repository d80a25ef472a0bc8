#include "controller/nodes/instance_sessions.h"

#include <functional>
#include <utility>

namespace updraft::controller {
namespace {

// Longer than the agent itself takes to give up.
constexpr Nanos kStartPatience = Seconds(90);
constexpr Nanos kConnectPatience = Seconds(20);

Error LostSight() { return {Code::kUnavailable, "the node-agent ended the call too early"}; }

// Cancels a call whose agent does not answer in time.
class AnswerDeadline {
 public:
  AnswerDeadline(Loop& loop, Nanos patience, std::function<void()> cancel)
      : loop_(loop), timer_(loop.After(patience, [this, cancel = std::move(cancel)] {
          passed_ = true;
          cancel();
        })) {}
  ~AnswerDeadline() { loop_.Cancel(timer_); }
  AnswerDeadline(const AnswerDeadline&) = delete;
  AnswerDeadline& operator=(const AnswerDeadline&) = delete;

  Error Explain(Error error) const {
    if (!passed_) return error;
    return {Code::kDeadlineExceeded, "the node-agent does not answer"};
  }

 private:
  Loop& loop_;
  bool passed_ = false;
  const Loop::TimerId timer_;
};

class AgentExec final : public ExecSession {
 public:
  // The agent is held: its node may go while the process runs.
  AgentExec(std::shared_ptr<AgentClient> agent, v1::ExecStart start)
      : agent_(std::move(agent)),
        stream_(agent_->Exec()),
        start_(std::move(start)),
        begun_(agent_->loop()) {}

  http::Task<Result<ExecEvent>> Next() override {
    if (!started_) co_return co_await Begin();
    co_return co_await Receive();
  }

  http::Task<Status> Write(std::string data) override {
    v1::ExecInput input;
    input.set_standard_input(std::move(data));
    return Send(std::move(input));
  }
  http::Task<Status> EndInput() override {
    v1::ExecInput input;
    input.set_end(true);
    return Send(std::move(input));
  }
  http::Task<Status> Resize(uint32_t columns, uint32_t rows) override {
    v1::ExecInput input;
    input.mutable_size()->set_columns(columns);
    input.mutable_size()->set_rows(rows);
    return Send(std::move(input));
  }
  void Cancel() override {
    stream_.Cancel();
    Over();
  }

 private:
  http::Task<Result<ExecEvent>> Begin() {
    const AnswerDeadline deadline(agent_->loop(), kStartPatience, [this] { Cancel(); });
    v1::ExecInput input;
    *input.mutable_start() = std::move(start_);
    [[maybe_unused]] const Status written =
        co_await stream_.Write(std::move(input));  // what is wrong is told below
    Result<ExecEvent> event = co_await Receive();
    if (!event) co_return deadline.Explain(event.error());
    started_ = true;
    begun_.Notify();
    co_return event;
  }

  http::Task<Result<ExecEvent>> Receive() {
    Result<std::optional<v1::ExecOutput>> output = co_await stream_.Next();
    if (output && *output) co_return ToEvent(**std::move(output));
    Over();
    co_return output ? LostSight() : output.error();
  }

  void Over() {
    over_ = true;
    begun_.Notify();
  }

  static ExecEvent ToEvent(v1::ExecOutput output) {
    switch (output.output_case()) {
      case v1::ExecOutput::kStandardOutput:
        return {.kind = ExecEvent::Kind::kOutput,
                .data = std::move(*output.mutable_standard_output())};
      case v1::ExecOutput::kStandardError:
        return {.kind = ExecEvent::Kind::kError,
                .data = std::move(*output.mutable_standard_error())};
      case v1::ExecOutput::kExit:
        return {.kind = ExecEvent::Kind::kExit, .exit_code = output.exit()};
      default:
        return {.kind = ExecEvent::Kind::kStarted};
    }
  }

  // Not before the process runs: what it is is said first.
  http::Task<Status> Send(v1::ExecInput input) {
    while (!started_ && !over_) co_await begun_.Wait();
    if (over_) co_return Error{Code::kUnavailable, "the process has ended"};
    co_return co_await stream_.Write(std::move(input));
  }

  const std::shared_ptr<AgentClient> agent_;
  AgentClient::ExecStream stream_;
  v1::ExecStart start_;
  bool started_ = false;
  bool over_ = false;
  http::Signal begun_;
};

class AgentConnection final : public PortConnection {
 public:
  AgentConnection(std::shared_ptr<AgentClient> agent, v1::PortForwardStart start)
      : agent_(std::move(agent)), stream_(agent_->PortForward()), start_(std::move(start)) {}

  http::Task<Status> Opened() override {
    const AnswerDeadline deadline(agent_->loop(), kConnectPatience, [this] { Cancel(); });
    v1::PortForwardInput input;
    *input.mutable_start() = std::move(start_);
    [[maybe_unused]] const Status written =
        co_await stream_.Write(std::move(input));  // what is wrong is told below
    Result<std::optional<v1::PortForwardOutput>> output = co_await stream_.Next();
    if (!output) co_return deadline.Explain(output.error());
    if (!*output || !(*output)->connected()) co_return LostSight();
    co_return Ok();
  }

  http::Task<Result<std::string>> Read() override {
    if (ended_) co_return std::string();
    Result<std::optional<v1::PortForwardOutput>> output = co_await stream_.Next();
    if (!output) co_return output.error();
    if (!*output) co_return LostSight();
    ended_ = (*output)->end();
    co_return std::move(*(*output)->mutable_data());
  }

  http::Task<Status> Write(std::string data) override {
    v1::PortForwardInput input;
    input.set_data(std::move(data));
    return stream_.Write(std::move(input));
  }
  http::Task<Status> End() override {
    v1::PortForwardInput input;
    input.set_end(true);
    return stream_.Write(std::move(input));
  }
  void Cancel() override { stream_.Cancel(); }

 private:
  const std::shared_ptr<AgentClient> agent_;
  AgentClient::PortForwardStream stream_;
  v1::PortForwardStart start_;
  bool ended_ = false;
};

}  // namespace

Result<std::shared_ptr<AgentClient>> InstanceSessions::AgentOf(const std::string& ns,
                                                               const std::string& pod) const {
  const Instance* instance = fleet_loop_.fleet().instances().Find(pod);
  if (instance == nullptr || !instance->revision.starts_with(ns + "/")) {
    return Error{Code::kNotFound, "pod \"" + pod + "\" does not exist"};
  }
  if (instance->node.empty())
    return Error{Code::kFailedPrecondition, "pod \"" + pod + "\" is on no node yet"};
  std::shared_ptr<AgentClient> agent = nodes_.Agent(instance->node);
  if (agent) return agent;
  return Error{Code::kUnavailable, "the agent of node \"" + instance->node + "\" is not connected"};
}

Result<std::unique_ptr<ExecSession>> InstanceSessions::Exec(const ExecRequest& request) {
  Result<std::shared_ptr<AgentClient>> agent = AgentOf(request.ns, request.pod);
  if (!agent) return agent.error();
  v1::ExecStart start;
  start.set_instance_id(request.pod);
  start.set_container(request.container);
  for (const std::string& word : request.command) start.add_command(word);
  start.set_standard_input(request.input);
  start.set_terminal(request.terminal);
  return std::unique_ptr<ExecSession>(
      std::make_unique<AgentExec>(*std::move(agent), std::move(start)));
}

Result<std::unique_ptr<PortConnection>> InstanceSessions::Connect(const std::string& ns,
                                                                  const std::string& pod,
                                                                  uint16_t port) {
  Result<std::shared_ptr<AgentClient>> agent = AgentOf(ns, pod);
  if (!agent) return agent.error();
  v1::PortForwardStart start;
  start.set_instance_id(pod);
  start.set_port(port);
  return std::unique_ptr<PortConnection>(
      std::make_unique<AgentConnection>(*std::move(agent), std::move(start)));
}

}  // namespace updraft::controller
