// A container runtime in memory, with the contract of container_runtime.h. Answers are posted to the loop. Tests
// make calls fail, hold answers back, end tasks and take the connection away.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/base/loop.h"
#include "node-agent/containerd/container_runtime.h"

namespace updraft::node_agent {

class FakeRuntime final : public ContainerRuntime {
 public:
  // How the next call of an operation goes wrong: with this error, and whether it has happened all the same.
  struct Mishap {
    Error error;
    bool happens = false;
  };

  explicit FakeRuntime(Loop& loop) : loop_(loop) {}

  // ---- for tests, on the loop

  void FailNext(const std::string& operation, Mishap mishap) { mishaps_[operation].push_back(std::move(mishap)); }
  // Answers of the operation wait until Release().
  void Hold(const std::string& operation) { held_.insert(operation); }
  void Release(const std::string& operation) {
    held_.erase(operation);
    for (auto& answer : std::exchange(waiting_[operation], {})) loop_.Post(std::move(answer));
  }
  void EndTask(const std::string& id, uint32_t status) {
    tasks_[id].status = TaskStatus::kStopped;
    tasks_[id].exit_status = status;
    if (!connected_) return;
    loop_.Post([this, id, status] { observer_->OnTaskExit({.container_id = id, .exit_status = status}); });
  }
  void Disconnect() {
    connected_ = false;
    loop_.Post([this] { observer_->OnRuntimeLost({Code::kUnavailable, "away"}); });
  }
  void Connect() {
    connected_ = true;
    loop_.Post([this] { observer_->OnRuntimeConnected(Contents()); });
  }
  RuntimeContents Contents() const {
    RuntimeContents contents;
    for (const auto& [id, record] : containers_) contents.containers.push_back(record);
    for (const auto& [id, task] : tasks_) contents.tasks.push_back(task);
    for (const std::string& key : snapshots_) contents.snapshots.push_back(key);
    return contents;
  }
  bool Empty() const { return containers_.empty() && tasks_.empty() && snapshots_.empty(); }
  size_t creating_most() const { return creating_most_; }
  int calls(const std::string& operation) const {
    const auto it = calls_.find(operation);
    return it == calls_.end() ? 0 : it->second;
  }
  const std::map<std::string, ContainerRecord>& containers() const { return containers_; }
  std::map<std::string, TaskState>& tasks() { return tasks_; }
  void set_ignore_sigterm(bool ignore) { ignore_sigterm_ = ignore; }

  // ---- ContainerRuntime

  void Observe(RuntimeObserver* observer) override {
    observer_ = observer;
    Connect();
  }
  void PrepareSnapshot(const std::string& key, const std::string&, DoneWith<std::vector<SnapshotMount>> done) override {
    Perform<std::vector<SnapshotMount>>("prepare", std::move(done), [this, key] {
      snapshots_.insert(key);
      return std::vector<SnapshotMount>{{.type = "bind", .source = "/nonexistent", .options = {}}};
    });
  }
  void RemoveSnapshot(const std::string& key, Done done) override {
    Perform<std::monostate>("remove snapshot", std::move(done), [this, key] {
      snapshots_.erase(key);
      return std::monostate{};
    });
  }
  void CreateContainer(const ContainerRecord& record, Done done) override {
    if (containers_.contains(record.id)) {
      return Answer("create", [done = std::move(done)] { done(Error{Code::kAlreadyExists, "there is one"}); });
    }
    Perform<std::monostate>("create", std::move(done), [this, record] {
      containers_[record.id] = record;
      return std::monostate{};
    });
  }
  void SetLabel(const std::string& id, const std::string& key, const std::string& value, Done done) override {
    Perform<std::monostate>("label", std::move(done), [this, id, key, value] {
      containers_[id].labels[key] = value;
      return std::monostate{};
    });
  }
  void RemoveContainer(const std::string& id, Done done) override {
    Perform<std::monostate>("remove container", std::move(done), [this, id] {
      containers_.erase(id);
      return std::monostate{};
    });
  }
  void CreateTask(const std::string& id, const std::vector<SnapshotMount>&, const TaskStdio&,
                  DoneWith<uint32_t> done) override {
    ++creating_;
    creating_most_ = std::max(creating_most_, creating_);
    Perform<uint32_t>("create task",
                      [this, done = std::move(done)](Result<uint32_t> result) {
                        if (!result) --creating_;
                        done(std::move(result));
                      },
                      [this, id] {
                        tasks_[id] = {.container_id = id, .pid = 1, .status = TaskStatus::kCreated};
                        return uint32_t{1};
                      });
  }
  void StartTask(const std::string& id, Done done) override {
    Perform<std::monostate>("start",
                            [this, done = std::move(done)](Status status) {
                              --creating_;
                              done(std::move(status));
                            },
                            [this, id] {
                              tasks_[id].status = TaskStatus::kRunning;
                              return std::monostate{};
                            });
  }
  void SignalTask(const std::string& id, int signal, Done done) override {
    Perform<std::monostate>("signal", std::move(done), [this, id, signal] {
      if (tasks_.contains(id) && (signal == 9 || !ignore_sigterm_)) EndTask(id, static_cast<uint32_t>(128 + signal));
      return std::monostate{};
    });
  }
  void RemoveTask(const std::string& id, DoneWith<std::optional<TaskExit>> done) override {
    Perform<std::optional<TaskExit>>("remove task", std::move(done), [this, id] {
      tasks_.erase(id);
      return std::optional<TaskExit>();
    });
  }
  void StartExec(const std::string& id, const std::string& exec_id, const std::string& process, const TaskStdio&,
                 Done done) override {
    Perform<std::monostate>("exec", std::move(done), [this, id, exec_id, process] {
      execs_.push_back({id, exec_id, process});
      return std::monostate{};
    });
  }
  void KillExec(const std::string& id, const std::string& exec_id, Done done) override {
    Perform<std::monostate>("kill exec", std::move(done), [this, id, exec_id] {
      loop_.Post([this, id, exec_id] {
        observer_->OnTaskExit({.container_id = id, .exec_id = exec_id, .exit_status = 137});
      });
      return std::monostate{};
    });
  }
  void RemoveExec(const std::string&, const std::string&, Done done) override {
    Perform<std::monostate>("remove exec", std::move(done), [] { return std::monostate{}; });
  }

  struct Exec {
    std::string container_id;
    std::string exec_id;
    std::string process;
  };
  const std::vector<Exec>& execs() const { return execs_; }

 private:
  template <typename T>
  void Perform(const std::string& operation, std::function<void(Result<T>)> done, std::function<T()> effect) {
    ++calls_[operation];
    Result<T> result = Error{Code::kUnavailable, "away"};
    std::deque<Mishap>& mishaps = mishaps_[operation];
    if (!mishaps.empty()) {
      if (mishaps.front().happens) effect();
      result = mishaps.front().error;
      mishaps.pop_front();
    } else if (connected_) {
      result = effect();
    }
    Answer(operation, [done = std::move(done), result = std::move(result)]() mutable { done(std::move(result)); });
  }
  void Answer(const std::string& operation, std::function<void()> answer) {
    if (held_.contains(operation)) {
      waiting_[operation].push_back(std::move(answer));
    } else {
      loop_.Post(std::move(answer));
    }
  }

  Loop& loop_;
  RuntimeObserver* observer_ = nullptr;
  bool connected_ = false;
  bool ignore_sigterm_ = false;
  std::set<std::string> snapshots_;
  std::map<std::string, ContainerRecord> containers_;
  std::map<std::string, TaskState> tasks_;
  std::vector<Exec> execs_;
  std::map<std::string, std::deque<Mishap>> mishaps_;
  std::set<std::string> held_;
  std::map<std::string, std::vector<std::function<void()>>> waiting_;
  std::map<std::string, int> calls_;
  size_t creating_ = 0;
  size_t creating_most_ = 0;
};

}  // namespace updraft::node_agent
