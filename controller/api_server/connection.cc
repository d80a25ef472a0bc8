#include <array>

#include "controller/api_server/pod_container.h"
#include "controller/api_server/verbs.h"
#include "controller/streaming/exec_pump.h"
#include "controller/streaming/forward_pump.h"

namespace updraft::controller {
namespace {

// What the query of exec and attach asks for.
struct StreamOptions {
  std::vector<std::string> command = {};
  WantedStreams wanted = {};
};

StreamOptions ParseStreamOptions(std::string_view query) {
  StreamOptions options;
  for (auto& [name, value] : http::ParseQuery(query)) {
    const bool on = value.empty() || value == "true" || value == "1";
    if (name == "command") options.command.push_back(std::move(value));
    if (name == "stdin") options.wanted.input = on;
    if (name == "stdout") options.wanted.output = on;
    if (name == "stderr") options.wanted.error = on;
    if (name == "tty") options.wanted.terminal = on;
  }
  return options;
}

// A container's output from now on, as a process that takes no input. Whoever leaves it ends
// nothing.
class Attached final : public ExecSession {
 public:
  explicit Attached(std::unique_ptr<LogStream> logs) : logs_(std::move(logs)) {}

  http::Task<Result<ExecEvent>> Next() override {
    http::Task<Result<std::string>> reading = logs_->Next();
    Result<std::string> piece = co_await reading;
    if (!piece) co_return piece.error();
    if (piece->empty()) co_return ExecEvent{.kind = ExecEvent::Kind::kExit};
    co_return ExecEvent{.kind = ExecEvent::Kind::kOutput, .data = *std::move(piece)};
  }
  http::Task<Status> Write(std::string) override { co_return Ok(); }
  http::Task<Status> EndInput() override { co_return Ok(); }
  http::Task<Status> Resize(uint32_t, uint32_t) override { co_return Ok(); }
  void Cancel() override { logs_->Cancel(); }

 private:
  const std::unique_ptr<LogStream> logs_;
};

ApiError FromUpgrade(const Error& error) {
  if (error.code != Code::kPermissionDenied) return BadRequest(error.message);
  return {403, "Forbidden", error.message, nullptr};
}

// How a process for the client is made: by starting one, or by taking up the output of the one that
// runs.
ApiResult<StartExec> PlanStart(const Call& call, const Json& pod, StreamOptions options) {
  const ApiResult<std::string> container = ChooseContainer(pod, call.options.container);
  if (!container) return container.error();
  const WantedStreams& wanted = options.wanted;
  if (!wanted.input && !wanted.output && !wanted.error) {
    return BadRequest("you must specify at least 1 of stdin, stdout, stderr");
  }
  const ServerParts* parts = call.parts;
  if (call.request.subresource == "attach") {
    return StartExec([parts, request = LogRequest{
                                 .ns = call.request.ns,
                                 .pod = call.request.name,
                                 .container = *container,
                                 .follow = true,
                                 .tail_lines = 0}]() -> Result<std::unique_ptr<ExecSession>> {
      return std::unique_ptr<ExecSession>(std::make_unique<Attached>(parts->logs->Open(request)));
    });
  }
  if (options.command.empty())
    return BadRequest("you must specify at least one command for the container");
  return StartExec([parts, request = ExecRequest{.ns = call.request.ns,
                                                 .pod = call.request.name,
                                                 .container = *container,
                                                 .command = std::move(options.command),
                                                 .input = wanted.input,
                                                 .terminal = wanted.terminal}] {
    return parts->sessions->Exec(request);
  });
}

}  // namespace

http::Task<void> ServeConnection(Call* call) {
  const std::optional<Stored> pod = call->store().Get(call->Key());
  const bool forwards = call->request.subresource == "portforward";
  std::optional<ApiError> refusal;
  if (call->parts->sessions == nullptr) {
    refusal = NoSuchPath();
  } else if (!pod) {
    refusal = NotFound(call->kind(), call->request.name);
  }
  const http::RequestHead& head = call->exchange->request();
  StartExec start;
  StreamOptions options;
  if (!refusal && !forwards) {
    options = ParseStreamOptions(head.query());
    ApiResult<StartExec> planned = PlanStart(*call, *pod->object, options);
    if (planned) {
      start = *std::move(planned);
    } else {
      refusal = planned.error();
    }
  }
  Result<Upgrade> upgrade = forwards ? PlanUpgrade(head, kForwardOverSpdy, kForwardOverWebSocket)
                                     : PlanUpgrade(head, kExecOverSpdy, kExecOverWebSocket);
  if (!refusal && !upgrade) refusal = FromUpgrade(upgrade.error());
  if (!refusal && !call->exchange->upgrade_requested())
    refusal = BadRequest("Upgrade request required");
  if (refusal) {
    http::Task<void> responding = RespondError(call, *std::move(refusal));
    co_await responding;
    co_return;
  }
  call->status = 101;
  http::Task<void> pumping =
      forwards ? PumpForwards(call->exchange, *std::move(upgrade), call->parts->sessions,
                              call->request.ns, call->request.name)
               : PumpExec(call->exchange, *std::move(upgrade), options.wanted, std::move(start));
  co_await pumping;
}

}  // namespace updraft::controller
