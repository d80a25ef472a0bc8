#include "tests/integration/api/command.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/check.h"

namespace updraft {
namespace {

struct Pipe {
  int read = -1;
  int write = -1;
};

Pipe MakePipe() {
  int ends[2];
  UPDRAFT_CHECK(pipe2(ends, O_CLOEXEC) == 0);
  return {ends[0], ends[1]};
}

pid_t Spawn(const std::vector<std::string>& arguments,
            const std::map<std::string, std::string>& environment, int in, int out, int err) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  std::vector<std::string> entries;
  for (char** entry = environ; *entry != nullptr; ++entry) entries.emplace_back(*entry);
  for (const auto& [name, value] : environment) entries.push_back(name + "=" + value);
  std::vector<char*> envp;
  // Later entries first: getenv takes the first that it finds.
  for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry)
    envp.push_back(entry->data());
  envp.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in, 0);
  posix_spawn_file_actions_adddup2(&actions, out, 1);
  posix_spawn_file_actions_adddup2(&actions, err, 2);
  pid_t pid = -1;
  const int failed = posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), envp.data());
  posix_spawn_file_actions_destroy(&actions);
  UPDRAFT_CHECK(failed == 0);
  return pid;
}

// Takes what is there; false at the end.
bool ReadSome(int fd, std::string& text) {
  char buffer[16384];
  const ssize_t count = read(fd, buffer, sizeof buffer);
  if (count <= 0) return false;
  text.append(buffer, static_cast<size_t>(count));
  return true;
}

int ExitCode(pid_t pid) {
  int status = 0;
  UPDRAFT_CHECK(waitpid(pid, &status, 0) == pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// A command that hangs must not hang the tests.
constexpr int kMillisMax = 60'000;

}  // namespace

Outcome RunCommand(const std::vector<std::string>& arguments, const std::string& input,
                   const std::map<std::string, std::string>& environment) {
  const Pipe in = MakePipe();
  const Pipe out = MakePipe();
  const Pipe err = MakePipe();
  const pid_t pid = Spawn(arguments, environment, in.read, out.write, err.write);
  close(in.read);
  close(out.write);
  close(err.write);
  Outcome outcome;
  size_t written = 0;
  bool in_open = true;
  bool out_open = true;
  bool err_open = true;
  while (out_open || err_open) {
    if (in_open && written == input.size()) {
      close(in.write);
      in_open = false;
    }
    pollfd fds[3] = {{out_open ? out.read : -1, POLLIN, 0},
                     {err_open ? err.read : -1, POLLIN, 0},
                     {in_open ? in.write : -1, POLLOUT, 0}};
    if (poll(fds, 3, kMillisMax) == 0) kill(pid, SIGKILL);
    if (fds[0].revents != 0) out_open = ReadSome(out.read, outcome.out);
    if (fds[1].revents != 0) err_open = ReadSome(err.read, outcome.err);
    if (fds[2].revents != 0) {
      const ssize_t count = write(in.write, input.data() + written, input.size() - written);
      written = count < 0 ? input.size() : written + static_cast<size_t>(count);
    }
  }
  if (in_open) close(in.write);
  close(out.read);
  close(err.read);
  outcome.code = ExitCode(pid);
  return outcome;
}

BackgroundCommand::BackgroundCommand(const std::vector<std::string>& arguments,
                                     const std::map<std::string, std::string>& environment) {
  const Pipe out = MakePipe();
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  pid_ = Spawn(arguments, environment, null, out.write, out.write);
  close(null);
  close(out.write);
  out_ = out.read;
}

BackgroundCommand::~BackgroundCommand() {
  kill(pid_, SIGKILL);
  ExitCode(pid_);
  close(out_);
}

const std::string& BackgroundCommand::ReadUntil(const std::string& text) {
  while (read_.find(text) == std::string::npos) {
    pollfd fd{out_, POLLIN, 0};
    if (poll(&fd, 1, 10'000) <= 0 || !ReadSome(out_, read_)) break;
  }
  return read_;
}

}  // namespace updraft
