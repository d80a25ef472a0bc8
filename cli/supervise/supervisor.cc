#include "cli/supervise/supervisor.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

#include "cli/platform/files.h"
#include "cli/platform/mount_namespace.h"
#include "cli/supervise/stop.h"
#include "core/base/log.h"
#include "core/base/unique_fd.h"

namespace updraft::cli {
namespace {

constexpr off_t kLogBytesMax = 16 << 20;
constexpr Nanos kLogCheckPeriod = Seconds(30);

double Jitter() {
  static thread_local std::minstd_rand generator(static_cast<unsigned>(getpid()));
  return std::uniform_real_distribution<>(0, 1)(generator);
}

std::string DescribeEnd(std::optional<int> status) {
  if (!status) return "ended";
  if (WIFSIGNALED(*status)) return "killed by signal " + std::to_string(WTERMSIG(*status));
  return "exited with code " + std::to_string(WEXITSTATUS(*status));
}

// Keeps the newest half. The programs append, so what they write during the copy lands behind it.
void TrimLog(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0 || info.st_size <= kLogBytesMax) return;
  Result<std::string> text = ReadFile(path);
  if (!text || !WriteFile(path + ".1", *text, 0640)) return;
  if (truncate(path.c_str(), 0) != 0) Log(Level::kWarn, "log_trim_failed", {{"file", path}});
}

sigset_t HangupSet() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGHUP);
  return set;
}

// Before threads are started.
void BlockHangup() {
  const sigset_t set = HangupSet();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

void WaitForHangup() {
  const sigset_t set = HangupSet();
  int received = 0;
  while (sigwait(&set, &received) != 0) {
  }
}

}  // namespace

// One program and its process, if it has one.
class Supervisor::Watched final : public FdObserver {
 public:
  Watched(Supervisor& owner, Program program) : owner_(owner), program_(std::move(program)) {}
  ~Watched() { Forget(); }

  void OnReady(uint32_t) override { owner_.OnEnd(*this); }

  void Follow(ProcessIdentity process) {
    process_ = process;
    started_ = RealClock().Now();
    started_wall_ = RealClock().Wall();
    Result<int> pidfd = OpenPidfd(process);
    if (!pidfd) {  // it ended before we could look
      owner_.loop_.Post([this] { owner_.OnEnd(*this); });
      return;
    }
    pidfd_ = *pidfd;
    owner_.loop_.Watch(pidfd_, EPOLLIN, this);
  }

  void Forget() {
    if (pidfd_ < 0) return;
    owner_.loop_.Unwatch(pidfd_, this);
    close(pidfd_);
    pidfd_ = -1;
  }

  Supervisor& owner_;
  const Program program_;
  std::optional<ProcessIdentity> process_;
  int pidfd_ = -1;
  TimePoint started_;
  WallTime started_wall_;
  RestartMemory memory_;
  std::string last_end_;
};

// A process that another has followed, until it ends.
class Supervisor::Leaving final : public FdObserver {
 public:
  Leaving(Supervisor& owner, ProcessIdentity process, std::string pid_file, int pidfd)
      : owner_(owner), process_(process), pid_file_(std::move(pid_file)), pidfd_(pidfd) {
    owner_.loop_.Watch(pidfd_.get(), EPOLLIN, this);
  }
  ~Leaving() { owner_.loop_.Unwatch(pidfd_.get(), this); }

  void OnReady(uint32_t) override {
    Log(Level::kInfo, "program_left", {{"pid", process_.pid}, {"how", DescribeEnd(Reap(process_.pid))}});
    unlink(pid_file_.c_str());
    std::erase_if(owner_.leaving_, [this](const auto& one) { return one.get() == this; });
  }

 private:
  Supervisor& owner_;
  const ProcessIdentity process_;
  const std::string pid_file_;
  const UniqueFd pidfd_;
};

Supervisor::Supervisor(Loop& loop, PlatformConfig config) : loop_(loop), config_(std::move(config)), paths_(config_) {
  for (Program& program : ProgramsOf(config_)) {
    programs_.push_back(std::make_unique<Watched>(*this, std::move(program)));
  }
}

Supervisor::~Supervisor() = default;

void Supervisor::Start() {
  for (const auto& watched : programs_) {
    if (const auto running = ReadPid(paths_.pids + "/" + watched->program_.name)) {
      Log(Level::kInfo, "program_adopted", {{"program", watched->program_.name}, {"pid", running->pid}});
      watched->Follow(*running);
    } else {
      Launch(*watched);
    }
  }
  WriteStatus();
  ScheduleLogRotation();
}

void Supervisor::Launch(Watched& watched) {
  if (stopping_) return;
  const Program& program = watched.program_;
  const Result<ProcessIdentity> started =
      Spawn({.argv = program.argv,
             .log_file = paths_.logs + "/" + program.name + ".log",
             .mount_namespace = program.in_mount_namespace ? paths_.mount_namespace : std::string()});
  if (!started) {
    Log(Level::kError, "program_not_started", {{"program", program.name}, {"error", started.error().message}});
    const RestartDecision next = DecideRestart(watched.memory_, loop_.Now(), loop_.Now(), Jitter());
    watched.memory_ = next.memory;
    loop_.At(std::max(next.start_at, loop_.Now() + Millis(100)), [this, &watched] { Launch(watched); });
    return;
  }
  if (Status written = WritePid(paths_.pids + "/" + program.name, *started); !written) {
    Log(Level::kError, "pid_not_written", {{"program", program.name}, {"error", written.error().message}});
  }
  Log(Level::kInfo, "program_started", {{"program", program.name}, {"pid", started->pid}});
  watched.Follow(*started);
  WriteStatus();
}

void Supervisor::HandOver() {
  for (const auto& watched : programs_) {
    if (stopping_ || !watched->program_.hands_over || !watched->process_) continue;
    const ProcessIdentity old = *watched->process_;
    const Result<int> pidfd = OpenPidfd(old);
    if (!pidfd) continue;  // its end is about to be seen, and it is started again
    const std::string pid_file = LeavingPidFile(paths_, watched->program_.name, old.pid);
    if (Status written = WritePid(pid_file, old); !written) {
      Log(Level::kError, "pid_not_written", {{"program", watched->program_.name}, {"error", written.error().message}});
    }
    leaving_.push_back(std::make_unique<Leaving>(*this, old, pid_file, *pidfd));
    Log(Level::kInfo, "program_followed", {{"program", watched->program_.name}, {"pid", old.pid}});
    watched->Forget();
    watched->process_.reset();
    Launch(*watched);
  }
}

void Supervisor::OnEnd(Watched& watched) {
  if (!watched.process_) return;
  watched.last_end_ = DescribeEnd(Reap(watched.process_->pid));
  watched.Forget();
  watched.process_.reset();
  if (stopping_) return;
  const RestartDecision next = DecideRestart(watched.memory_, watched.started_, RealClock().Now(), Jitter());
  watched.memory_ = next.memory;
  Log(Level::kWarn, "program_ended",
      {{"program", watched.program_.name}, {"how", watched.last_end_}, {"restarts", next.memory.restarts}});
  if (next.start_at <= loop_.Now()) {
    Launch(watched);
  } else {
    loop_.At(next.start_at, [this, &watched] { Launch(watched); });
    WriteStatus();
  }
}

void Supervisor::WriteStatus() {
  nlohmann::json status = nlohmann::json::array();
  for (const auto& watched : programs_) {
    status.push_back({{"name", watched->program_.name},
                      {"pid", watched->process_ ? watched->process_->pid : 0},
                      {"start_ticks", watched->process_ ? watched->process_->start_ticks : 0},
                      {"since", UnixNanos(watched->started_wall_)},
                      {"restarts", watched->memory_.restarts},
                      {"last_end", watched->last_end_}});
  }
  if (Status written = WriteFile(paths_.status_file, status.dump() + "\n", 0644); !written) {
    Log(Level::kError, "status_not_written", {{"error", written.error().message}});
  }
}

void Supervisor::ScheduleLogRotation() {
  loop_.After(kLogCheckPeriod, [this] {
    for (const auto& watched : programs_) TrimLog(paths_.logs + "/" + watched->program_.name + ".log");
    TrimLog(paths_.logs + "/supervisor.log");
    ScheduleLogRotation();
  });
}

void Supervisor::Release() {
  stopping_ = true;
  for (const auto& watched : programs_) watched->Forget();
}

int RunSupervisor(const std::string& run) {
  BlockTerminationSignals();
  BlockHangup();
  StartLogging("supervisor");
  const Result<PlatformConfig> config = LoadPlatform(run);
  if (!config) {
    Log(Level::kError, "no_platform", {{"error", config.error().message}});
    return 1;
  }
  const PlatformPaths paths(*config);
  const int lock = open(paths.lock_file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (lock < 0 || flock(lock, LOCK_EX | LOCK_NB) != 0) {
    Log(Level::kError, "another_supervisor_runs", {{"lock", paths.lock_file}});
    return 1;
  }
  if (Status made = EnsureMountNamespace(*config); !made) {
    Log(Level::kError, "mount_namespace", {{"error", made.error().message}});
    return 1;
  }
  Loop loop;
  Supervisor supervisor(loop, *config);
  std::atomic<bool> ended{false};
  const NamedThread signals("signals", [&loop] {
    WaitForTerminationSignal();
    loop.Stop();
  });
  const NamedThread hand_overs("hand-overs", [&loop, &supervisor, &ended] {
    while (true) {
      WaitForHangup();
      if (ended) return;
      loop.Post([&supervisor] { supervisor.HandOver(); });
    }
  });
  supervisor.Start();
  loop.Run();
  ended = true;
  kill(getpid(), SIGHUP);  // for the thread that waits for it
  supervisor.Release();
  StopPrograms(*config);
  unlink(paths.status_file.c_str());
  return 0;
}

}  // namespace updraft::cli
