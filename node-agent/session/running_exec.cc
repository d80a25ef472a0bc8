#include "node-agent/session/running_exec.h"

#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/base/log.h"
#include "node-agent/session/process_session.h"

namespace updraft::node_agent {
namespace {

// Between the process's end and the end of its output, when nothing is written any more but something that it has
// started still could.
constexpr Nanos kOutputPatience = Seconds(1);
// Between SIGKILL and removing the process whatever was heard of it.
constexpr Nanos kDeathPatience = Seconds(5);
// Between the container's end and what the runtime says of the process's.
constexpr Nanos kExitPatience = Seconds(2);
constexpr int kKilledStatus = 128 + SIGKILL;

constexpr char kSessionFile[] = "/session";

// The container's own process with another command. nullopt: the record is not one of ours.
std::optional<std::string> ProcessOf(const std::string& oci_spec, const ExecOrder& order) {
  const nlohmann::json spec = nlohmann::json::parse(oci_spec, nullptr, false);
  if (!spec.is_object() || !spec.contains("process") || !spec["process"].is_object()) return std::nullopt;
  nlohmann::json process = spec["process"];
  process["args"] = order.command;
  process["terminal"] = order.terminal;
  if (!order.terminal) return process.dump();
  nlohmann::json& env = process["env"];
  const bool named = std::ranges::any_of(env, [](const nlohmann::json& entry) {
    return entry.is_string() && entry.get_ref<const std::string&>().starts_with("TERM=");
  });
  if (!named) env.push_back("TERM=xterm");
  return process.dump();
}

}  // namespace

RunningExec::RunningExec(Place place, ExecOrder order, std::function<void()> removed)
    : place_(std::move(place)),
      order_(std::move(order)),
      removed_(std::move(removed)),
      input_(place_.loop, [this] { OnFifo(); }),
      output_(place_.loop, [this] { OnFifo(); }),
      error_(place_.loop, [this] { OnFifo(); }) {}

RunningExec::~RunningExec() { place_.loop.Cancel(timer_); }

void RunningExec::Start(std::function<void()> changed) {
  changed_ = std::move(changed);
  place_.runtime.ReadContainer(order_.container_id, [self = shared_from_this()](const Result<ContainerRecord>& record) {
    self->OnRecord(record);
  });
}

void RunningExec::TakeAway() {
  asked_ = started_ = abandoned_ = true;
  std::ifstream(place_.folder + kSessionFile) >> session_;
  Kill();
}

Status RunningExec::OpenFifos(TaskStdio& stdio) {
  std::error_code error;
  std::filesystem::create_directories(place_.folder, error);
  if (error) return Error{Code::kInternal, place_.folder + ": " + error.message()};
  stdio.terminal = order_.terminal;
  stdio.standard_output = place_.folder + "/stdout";
  if (Status opened = output_.Open(stdio.standard_output); !opened) return opened;
  if (order_.input) {
    stdio.standard_input = place_.folder + "/stdin";
    if (Status opened = input_.Open(stdio.standard_input); !opened) return opened;
  }
  if (order_.terminal) return Ok();
  stdio.standard_error = place_.folder + "/stderr";
  return error_.Open(stdio.standard_error);
}

void RunningExec::OnRecord(const Result<ContainerRecord>& record) {
  if (abandoned_) return Remove();
  if (!record) return Fail(record.error());
  const std::optional<std::string> process = ProcessOf(record->oci_spec, order_);
  if (!process) return Fail({Code::kInternal, "the container's process is not known"});
  TaskStdio stdio;
  if (Status opened = OpenFifos(stdio); !opened) return Fail(opened.error());
  asked_ = true;
  place_.runtime.StartExec(order_.container_id, place_.exec_id, *process, stdio,
                           [self = shared_from_this()](const Result<uint32_t>& pid) { self->OnStarted(pid); });
}

void RunningExec::OnStarted(const Result<uint32_t>& pid) {
  if (!pid) return Fail(pid.error());
  session_ = OwnSession(static_cast<pid_t>(*pid));
  std::ofstream(place_.folder + kSessionFile) << session_;  // for an agent that comes after us
  started_ = true;
  if (abandoned_) return Kill();
  output_.WriterIsThere();
  error_.WriterIsThere();
  Tell();
}

std::optional<ExecChunk> RunningExec::Take() {
  std::string data = output_.Read();
  if (!data.empty()) return ExecChunk{.error = false, .data = std::move(data)};
  data = error_.Read();
  if (!data.empty()) return ExecChunk{.error = true, .data = std::move(data)};
  EndIfOver();
  return std::nullopt;
}

void RunningExec::EndInput() {
  if (!order_.input || std::exchange(input_ended_, true)) return;
  input_.Close();
  place_.runtime.CloseExecInput(order_.container_id, place_.exec_id, [](const Status&) {});
}

void RunningExec::Resize(TerminalSize size) {
  if (!started_ || !order_.terminal) return;
  place_.runtime.ResizeExec(order_.container_id, place_.exec_id, size, [](const Status&) {});
}

void RunningExec::OnExit(int exit_code) {
  exit_code_ = exit_code;
  if (abandoned_) return Remove();
  place_.loop.Cancel(timer_);
  timer_ = place_.loop.After(kOutputPatience, [this] { OnQuiet(); });
  Tell();
}

void RunningExec::OnContainerExit() {
  if (exit_code_ || abandoned_ || !started_) return;
  place_.loop.Cancel(timer_);
  timer_ = place_.loop.After(kExitPatience, [this] { OnExit(kKilledStatus); });
}

void RunningExec::OnQuiet() {
  timer_ = 0;
  if (!started_ || output_.readable() || error_.readable()) {
    // It is the runtime's answer that is late, or the taker who is slow.
    timer_ = place_.loop.After(kOutputPatience, [this] { OnQuiet(); });
    return;
  }
  output_.Close();
  error_.Close();
  Tell();
}

void RunningExec::EndIfOver() {
  if (outcome_ || !started_ || !exit_code_ || !output_.at_end() || !error_.at_end()) return;
  outcome_ = *exit_code_;
  Remove();
}

void RunningExec::Fail(Error why) {
  if (!outcome_) outcome_ = std::move(why);
  if (!abandoned_) Tell();
  Remove();
}

void RunningExec::OnFifo() {
  if (abandoned_ || removing_) return Discard();
  Tell();
}

void RunningExec::Tell() {
  const std::function<void()> changed = changed_;  // it may let go of us
  if (changed) changed();
}

// What writes must not be held up when it is to end.
void RunningExec::Discard() {
  while (!output_.Read().empty() || !error_.Read().empty()) {
  }
}

void RunningExec::Abandon() {
  changed_ = nullptr;
  if (outcome_ || std::exchange(abandoned_, true)) return;
  Discard();
  if (started_) Kill();  // else when it is
}

void RunningExec::Lose(Error why) {
  if (outcome_ || abandoned_ || !started_) return;
  outcome_ = std::move(why);
  abandoned_ = true;
  Tell();
  Kill();
}

void RunningExec::Kill() {
  if (exit_code_) return Remove();
  if (session_ != 0) KillSession(session_, order_.container_id);
  place_.loop.Cancel(timer_);
  timer_ = place_.loop.After(kDeathPatience, [self = shared_from_this()] { self->Remove(); });
  place_.runtime.KillExec(order_.container_id, place_.exec_id, [self = shared_from_this()](const Status& killed) {
    if (!killed && killed.error().code == Code::kNotFound) self->Remove();
  });
}

void RunningExec::Remove() {
  if (std::exchange(removing_, true)) return;
  place_.loop.Cancel(std::exchange(timer_, 0));
  if (!asked_) return place_.loop.Post([self = shared_from_this()] { self->OnRemoved(); });
  place_.runtime.RemoveExec(order_.container_id, place_.exec_id, [self = shared_from_this()](const Status& removed) {
    if (!removed) {
      Log(Level::kWarn, "exec_not_removed",
          {{"container", self->order_.container_id}, {"error", removed.error().message}});
    }
    self->OnRemoved();
  });
}

void RunningExec::OnRemoved() {
  input_.Close();
  output_.Close();
  error_.Close();
  std::error_code ignored;
  std::filesystem::remove_all(place_.folder, ignored);
  removed_();
}

}  // namespace updraft::node_agent
