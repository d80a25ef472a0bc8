#include "controller/nodes/instance_logs.h"

#include <utility>

namespace updraft::controller {
namespace {

class Refused : public LogStream {
 public:
  explicit Refused(Error why) : why_(std::move(why)) {}
  http::Task<Result<std::string>> Next() override { co_return why_; }
  void Cancel() override { why_ = Error{Code::kCancelled, "nobody reads any more"}; }

 private:
  Error why_;
};

class Reading : public LogStream {
 public:
  // The agent is held: its node may go while its log is read.
  Reading(std::shared_ptr<AgentClient> agent, v1::ReadLogsRequest request)
      : agent_(std::move(agent)), reader_(agent_->ReadLogs(std::move(request))) {}

  http::Task<Result<std::string>> Next() override {
    Result<std::optional<std::string>> chunk = co_await reader_.Next();
    if (!chunk) co_return chunk.error();
    co_return chunk->value_or(std::string());
  }
  void Cancel() override { reader_.Cancel(); }

 private:
  const std::shared_ptr<AgentClient> agent_;
  LogReader reader_;
};

v1::ReadLogsRequest ToProto(const LogRequest& request) {
  v1::ReadLogsRequest out;
  out.set_instance_id(request.pod);
  out.set_container(request.container);
  out.set_follow(request.follow);
  out.set_previous(request.previous);
  out.set_timestamps(request.timestamps);
  if (request.tail_lines) out.set_tail_lines(*request.tail_lines);
  if (request.since_ns) out.set_since_ns(*request.since_ns);
  if (request.limit_bytes) out.set_limit_bytes(*request.limit_bytes);
  return out;
}

}  // namespace

std::unique_ptr<LogStream> InstanceLogs::Open(LogRequest request) {
  const Instance* instance = fleet_loop_.fleet().instances().Find(request.pod);
  if (instance == nullptr || !instance->revision.starts_with(request.ns + "/")) {
    return std::make_unique<Refused>(
        Error{Code::kNotFound, "pod \"" + request.pod + "\" does not exist"});
  }
  if (instance->node.empty()) {
    const std::string why = instance->report.failure().reason();
    return std::make_unique<Refused>(
        Error{Code::kFailedPrecondition,
              "container \"" + request.container + "\" in pod \"" + request.pod +
                  "\" is waiting to start: " + (why.empty() ? "ContainerCreating" : why)});
  }
  std::shared_ptr<AgentClient> agent = nodes_.Agent(instance->node);
  if (!agent) {
    return std::make_unique<Refused>(
        Error{Code::kUnavailable, "the agent of node \"" + instance->node + "\" is not connected"});
  }
  return std::make_unique<Reading>(std::move(agent), ToProto(request));
}

}  // namespace updraft::controller
