#include "node-agent/service/command_call.h"

#include <optional>
#include <string>
#include <utility>

#include "core/base/grpc_status.h"
#include "node-agent/service/running_container.h"

namespace updraft::node_agent {

void CommandCall::OnMessage(v1::ExecInput message) {
  if (message.has_start() != (process_ == nullptr)) {
    return End({grpc::StatusCode::INVALID_ARGUMENT, "the first message says what to run, and no other does"});
  }
  switch (message.input_case()) {
    case v1::ExecInput::kStart:
      return Begin(message.start());
    case v1::ExecInput::kStandardInput:
      (*process_)->Write(std::move(*message.mutable_standard_input()));
      break;
    case v1::ExecInput::kEnd:
      (*process_)->EndInput();
      break;
    case v1::ExecInput::kSize:
      (*process_)->Resize({.columns = message.size().columns(), .rows = message.size().rows()});
      break;
    case v1::ExecInput::INPUT_NOT_SET:
      break;
  }
  Pump();
}

void CommandCall::Begin(const v1::ExecStart& start) {
  const Result<std::string> container = RunningContainer(host_, start.instance_id(), start.container());
  if (!container) return End(ToGrpc(container.error()));
  if (start.command().empty()) return End({grpc::StatusCode::INVALID_ARGUMENT, "no command"});
  ExecOrder order{.container_id = *container,
                  .command = {start.command().begin(), start.command().end()},
                  .input = start.standard_input(),
                  .terminal = start.terminal()};
  Result<std::unique_ptr<ExecSession>> process = processes_.Start(std::move(order), [this] { Pump(); });
  if (!process) return End(ToGrpc(process.error()));
  process_ = std::move(*process);
}

void CommandCall::Pump() {
  if (ended()) return;
  if ((*process_)->takes_input()) ReadNext();
  if (!writing()) PumpOutput();
}

void CommandCall::PumpOutput() {
  RunningExec& process = *process_->operator->();
  v1::ExecOutput out;
  if (process.started() && !std::exchange(start_told_, process.started())) {
    out.set_started(true);
    return Write(std::move(out));
  }
  if (std::optional<ExecChunk> chunk = process.Take()) {
    (chunk->error ? out.mutable_standard_error() : out.mutable_standard_output())->swap(chunk->data);
    return Write(std::move(out));
  }
  if (!process.outcome()) return;
  const Result<int>& outcome = *process.outcome();
  if (!outcome) return End(ToGrpc(outcome.error()));
  if (exit_told_) return End(grpc::Status::OK);
  exit_told_ = true;
  out.set_exit(*outcome);
  Write(std::move(out));
}

}  // namespace updraft::node_agent
