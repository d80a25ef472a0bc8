#include "cli/platform/process.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <sstream>
#include <system_error>

#include "cli/platform/files.h"

namespace updraft::cli {
namespace {

constexpr int kStartTimeField = 22;  // of /proc/PID/stat, see proc(5)

std::string Errno(const std::string& doing) { return doing + ": " + std::generic_category().message(errno); }

// In the child, between fork and exec: async-signal-safe calls only. Never returns.
[[noreturn]] void RunChild(const SpawnOptions& options, char* const* argv, int log, int mount_namespace) {
  setsid();
  if (mount_namespace >= 0 && setns(mount_namespace, CLONE_NEWNS) != 0) _exit(126);
  const int null = open("/dev/null", O_RDONLY);
  dup2(null, STDIN_FILENO);
  dup2(log, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  close_range(3, ~0U, 0);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  signal(SIGPIPE, SIG_DFL);
  execv(options.argv[0].c_str(), argv);
  dprintf(STDERR_FILENO, "cannot run %s: errno %d\n", options.argv[0].c_str(), errno);
  _exit(127);
}

}  // namespace

Result<ProcessIdentity> Spawn(const SpawnOptions& options) {
  const int log = open(options.log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  if (log < 0) return Error{Code::kInternal, Errno(options.log_file)};
  int mount_namespace = -1;
  if (!options.mount_namespace.empty()) {
    mount_namespace = open(options.mount_namespace.c_str(), O_RDONLY | O_CLOEXEC);
    if (mount_namespace < 0) {
      close(log);
      return Error{Code::kInternal, Errno(options.mount_namespace)};
    }
  }
  std::vector<char*> argv;
  for (const std::string& arg : options.argv) argv.push_back(const_cast<char*>(arg.c_str()));
  argv.push_back(nullptr);

  const pid_t pid = fork();
  if (pid == 0) RunChild(options, argv.data(), log, mount_namespace);
  const std::string failure = pid < 0 ? Errno("fork") : "";
  close(log);
  if (mount_namespace >= 0) close(mount_namespace);
  if (pid < 0) return Error{Code::kResourceExhausted, failure};
  return IdentityOf(pid).value_or(ProcessIdentity{pid, 0});
}

std::optional<ProcessIdentity> IdentityOf(pid_t pid) {
  const Result<std::string> stat = ReadFile("/proc/" + std::to_string(pid) + "/stat");
  if (!stat) return std::nullopt;
  // The second field is the name in brackets and may hold anything; fields are counted after it.
  const size_t name_end = stat->rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream rest(stat->substr(name_end + 1));
  std::string field;
  char state = '\0';
  for (int i = 3; i <= kStartTimeField && rest >> field; ++i) {
    if (i == 3) state = field[0];
  }
  if (state == 'Z' || state == 'X') return std::nullopt;
  return ProcessIdentity{pid, std::strtoull(field.c_str(), nullptr, 10)};
}

bool IsAlive(const ProcessIdentity& process) { return IdentityOf(process.pid) == process; }

Result<int> OpenPidfd(const ProcessIdentity& process) {
  const int fd = static_cast<int>(syscall(SYS_pidfd_open, process.pid, 0));
  if (fd < 0) return Error{Code::kNotFound, Errno("process " + std::to_string(process.pid))};
  if (!IsAlive(process)) {
    close(fd);
    return Error{Code::kNotFound, "process " + std::to_string(process.pid) + " has ended"};
  }
  return fd;
}

void SendSignal(const ProcessIdentity& process, int signal) {
  const Result<int> fd = OpenPidfd(process);
  if (!fd) return;
  syscall(SYS_pidfd_send_signal, *fd, signal, nullptr, 0);
  close(*fd);
}

bool WaitForEnd(const ProcessIdentity& process, int millis_max) {
  const Result<int> fd = OpenPidfd(process);
  if (!fd) return true;
  pollfd wait = {.fd = *fd, .events = POLLIN, .revents = 0};
  const int ready = poll(&wait, 1, millis_max);
  close(*fd);
  return ready > 0;
}

std::optional<int> Reap(pid_t pid) {
  int status = 0;
  if (waitpid(pid, &status, WNOHANG) != pid) return std::nullopt;
  return status;
}

Status WritePid(const std::string& file, const ProcessIdentity& process) {
  return WriteFile(file, std::to_string(process.pid) + " " + std::to_string(process.start_ticks) + "\n", 0644);
}

std::optional<ProcessIdentity> ReadPid(const std::string& file) {
  std::ifstream in(file);
  ProcessIdentity process;
  if (!(in >> process.pid >> process.start_ticks) || !IsAlive(process)) return std::nullopt;
  return process;
}

int64_t PssKilobytes(pid_t pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/smaps_rollup");
  std::string line;
  while (std::getline(in, line)) {
    if (line.starts_with("Pss:")) return std::strtoll(line.c_str() + 4, nullptr, 10);
  }
  return 0;
}

}  // namespace updraft::cli
