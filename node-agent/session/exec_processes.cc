#include "node-agent/session/exec_processes.h"

#include <filesystem>
#include <utility>
#include <vector>

#include "core/base/log.h"

namespace updraft::node_agent {
namespace {

// Of a node: each has a shim's copying to pay for.
constexpr size_t kProcessesMax = 128;

}  // namespace

ExecProcesses::ExecProcesses(Loop& loop, ContainerRuntime& runtime, std::string directory)
    : loop_(loop),
      runtime_(runtime),
      directory_(std::move(directory)),
      id_prefix_("session-" + std::to_string(UnixNanos(RealClock().Wall())) + "-") {}

ExecProcesses::~ExecProcesses() { *alive_ = false; }

std::shared_ptr<RunningExec> ExecProcesses::Add(std::string exec_id, ExecOrder order) {
  RunningExec::Place place{.loop = loop_,
                           .runtime = runtime_,
                           .folder = directory_ + "/" + order.container_id + "/" + exec_id,
                           .exec_id = exec_id};
  const std::string container_folder = directory_ + "/" + order.container_id;
  auto process = std::make_shared<RunningExec>(
      std::move(place), std::move(order), [this, alive = alive_, exec_id, container_folder] {
        if (!*alive) return;
        std::error_code not_empty;
        std::filesystem::remove(container_folder, not_empty);
        processes_.erase(exec_id);
      });
  processes_.emplace(std::move(exec_id), process);
  return process;
}

Result<std::unique_ptr<ExecSession>> ExecProcesses::Start(ExecOrder order, std::function<void()> changed) {
  if (processes_.size() >= kProcessesMax) {
    return Error{Code::kResourceExhausted, "so many commands run on this node already"};
  }
  std::shared_ptr<RunningExec> process = Add(id_prefix_ + std::to_string(next_++), std::move(order));
  process->Start(std::move(changed));
  return std::make_unique<ExecSession>(std::move(process));
}

void ExecProcesses::OnExit(const TaskExit& exit) {
  if (exit.exec_id.empty()) return OnContainerExit(exit.container_id);
  const auto it = processes_.find(exit.exec_id);
  if (it == processes_.end()) return;
  const std::shared_ptr<RunningExec> process = it->second;
  process->OnExit(static_cast<int>(exit.exit_status));
}

void ExecProcesses::OnContainerExit(const std::string& container_id) {
  for (const auto& [exec_id, process] : processes_) {
    if (process->container_id() == container_id) process->OnContainerExit();
  }
}

void ExecProcesses::OnRuntimeConnected() {
  std::vector<std::shared_ptr<RunningExec>> running;
  for (const auto& [exec_id, process] : processes_) running.push_back(process);
  for (const auto& process : running) process->Lose({Code::kUnavailable, "the container runtime was restarted"});
  TakeAwayOthers();
}

void ExecProcesses::TakeAwayOthers() {
  namespace fs = std::filesystem;
  std::vector<fs::path> others;
  std::error_code error;
  for (fs::directory_iterator container(directory_, error), end; !error && container != end; container.increment(error)) {
    std::error_code inner;
    for (fs::directory_iterator at(container->path(), inner); !inner && at != end; at.increment(inner)) {
      if (!processes_.contains(at->path().filename())) others.push_back(at->path());
    }
  }
  for (const fs::path& folder : others) {
    const std::string container_id = folder.parent_path().filename();
    Log(Level::kInfo, "exec_left_over", {{"container", container_id}, {"exec", folder.filename().string()}});
    Add(folder.filename(), {.container_id = container_id})->TakeAway();
  }
}

}  // namespace updraft::node_agent
