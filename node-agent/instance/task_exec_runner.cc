#include "node-agent/instance/task_exec_runner.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/base/unique_fd.h"

namespace updraft::node_agent {
namespace {

constexpr size_t kOutputBytesMax = 10 * 1000;
constexpr Nanos kDeathPatience = Seconds(5);  // between SIGKILL and removing the process whatever was heard of it

}  // namespace

// Lives until its process is known to be gone, whoever still wants to know.
class TaskExecRunner::Attempt final : public std::enable_shared_from_this<Attempt>, private FdObserver {
 public:
  Attempt(TaskExecRunner& runner, std::string container_id, std::string exec_id, Done done)
      : runner_(runner),
        container_id_(std::move(container_id)),
        exec_id_(std::move(exec_id)),
        fifo_(runner.directory_ + "/" + exec_id_),
        done_(std::move(done)) {}

  ~Attempt() {
    runner_.loop_.Cancel(timer_);
    CloseFifo();
  }

  void Start(const std::string& process, Nanos timeout) {
    timer_ = runner_.loop_.After(timeout, [this] { OnTimeout(); });
    if (const int error = OpenFifo(); error != 0) {
      return FailSoon({Code::kInternal, "fifo " + fifo_ + ": " + std::strerror(error)});
    }
    runner_.runtime_.StartExec(container_id_, exec_id_, process, {.standard_output = fifo_, .standard_error = fifo_},
                               [self = shared_from_this()](const Result<uint32_t>& started) {
                                 if (!started) self->OnNotStarted(started.error());
                               });
  }

  void FailSoon(Error error) {
    runner_.loop_.Post([self = shared_from_this(), error = std::move(error)] { self->OnNotStarted(error); });
  }

  void OnExit(uint32_t status) {
    exit_code_ = static_cast<int>(status);
    if (status == 0) Tell(Outcome{.exit_code = 0, .output = {}});  // nobody reads what a success has said
    Remove();
  }

  // Nobody waits for the outcome any more.
  void Abandon() {
    if (!done_) return;
    done_ = nullptr;
    Kill();
  }

 private:
  int OpenFifo() {
    if (mkfifo(fifo_.c_str(), 0600) != 0) return errno;
    // For writing as well: it has then no end before we say so, whoever opens and closes it.
    fd_.Reset(open(fifo_.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
    if (!fd_) return errno;
    runner_.loop_.Watch(fd_.get(), EPOLLIN, this);
    return 0;
  }

  void CloseFifo() {
    if (!fd_) return;
    runner_.loop_.Unwatch(fd_.get(), this);
    fd_.Reset();
    unlink(fifo_.c_str());
  }

  void OnReady(uint32_t) override { ReadOutput(); }

  void ReadOutput() {
    std::array<char, 4096> bytes;
    while (true) {
      const ssize_t got = read(fd_.get(), bytes.data(), bytes.size());
      if (got <= 0) return;
      output_.append(bytes.data(), std::min(static_cast<size_t>(got), kOutputBytesMax - output_.size()));
    }
  }

  void Tell(Result<Outcome> outcome) {
    if (const Done done = std::exchange(done_, nullptr)) done(std::move(outcome));
  }

  void OnNotStarted(const Error& error) {
    Tell(error);
    Remove();
  }

  void OnTimeout() {
    timer_ = 0;
    Tell(Error{Code::kDeadlineExceeded, "the command did not end in time"});
    Kill();
  }

  void Kill() {
    runner_.loop_.Cancel(timer_);
    timer_ = runner_.loop_.After(kDeathPatience, [this] { Remove(); });
    runner_.runtime_.KillExec(container_id_, exec_id_, [](const Status&) {});
  }

  // When it is removed its output has been written.
  void Remove() {
    if (std::exchange(removing_, true)) return;
    runner_.loop_.Cancel(std::exchange(timer_, 0));
    runner_.runtime_.RemoveExec(container_id_, exec_id_, [self = shared_from_this()](const Status&) {
      if (self->fd_) self->ReadOutput();
      self->CloseFifo();
      self->Tell(Outcome{.exit_code = self->exit_code_, .output = std::move(self->output_)});
      self->runner_.attempts_.erase(self->exec_id_);
    });
  }

  TaskExecRunner& runner_;
  const std::string container_id_;
  const std::string exec_id_;
  const std::string fifo_;
  Done done_;
  UniqueFd fd_;
  std::string output_;
  int exit_code_ = 0;
  bool removing_ = false;
  Loop::TimerId timer_ = 0;
};

namespace {

// What the prober holds: destroying it ends its interest, not the process's clean-up.
template <typename T>
class AttemptHandle final : public ProbeAttempt {
 public:
  explicit AttemptHandle(std::shared_ptr<T> attempt) : attempt_(std::move(attempt)) {}
  ~AttemptHandle() override { attempt_->Abandon(); }

 private:
  const std::shared_ptr<T> attempt_;
};

}  // namespace

TaskExecRunner::TaskExecRunner(Loop& loop, ContainerRuntime& runtime, std::string directory)
    : loop_(loop), runtime_(runtime), directory_(std::move(directory)) {
  // Whatever is in there is of an agent that is gone.
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
  std::filesystem::create_directories(directory_, ignored);
}

TaskExecRunner::~TaskExecRunner() = default;

void TaskExecRunner::Register(const std::string& container_id, const std::string& oci_spec) {
  const nlohmann::json spec = nlohmann::json::parse(oci_spec, nullptr, false);
  if (spec.is_object()) processes_[container_id] = spec.value("process", nlohmann::json::object()).dump();
}

void TaskExecRunner::Forget(const std::string& container_id) { processes_.erase(container_id); }

std::unique_ptr<ProbeAttempt> TaskExecRunner::Run(const ExecCall& call, Nanos timeout, Done done) {
  const std::string exec_id = "probe-" + std::to_string(getpid()) + "-" + std::to_string(next_++);
  auto attempt = std::make_shared<Attempt>(*this, call.container_id, exec_id, std::move(done));
  attempts_.emplace(exec_id, attempt);
  const auto pattern = processes_.find(call.container_id);
  if (pattern == processes_.end()) {
    attempt->FailSoon({Code::kNotFound, "no such container"});
  } else {
    nlohmann::json process = nlohmann::json::parse(pattern->second, nullptr, false);
    process["args"] = call.command;
    attempt->Start(process.dump(), timeout);
  }
  return std::make_unique<AttemptHandle<Attempt>>(std::move(attempt));
}

void TaskExecRunner::OnExit(const TaskExit& exit) {
  const auto it = attempts_.find(exit.exec_id);
  if (it == attempts_.end()) return;
  const std::shared_ptr<Attempt> attempt = it->second;
  attempt->OnExit(exit.exit_status);
}

}  // namespace updraft::node_agent
