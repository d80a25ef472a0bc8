#include "node-agent/network/program.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "core/base/unique_fd.h"

namespace updraft::node_agent {
namespace {

constexpr size_t kOutputBytesMax = 4 << 20;
constexpr size_t kErrorBytesShown = 500;

struct Pipe {
  UniqueFd read;
  UniqueFd write;
  bool Open() {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) return false;
    read.Reset(ends[0]);
    write.Reset(ends[1]);
    return true;
  }
};

// The program's three descriptors from outside, until all are at their end.
class Conversation {
 public:
  Conversation(const std::string& input, Pipe& in, Pipe& out, Pipe& err)
      : input_(input), in_(in.write), out_(out.read), err_(err.read) {
    fcntl(in_.get(), F_SETFL, O_NONBLOCK);
  }

  // False when the deadline has come.
  bool Run(TimePoint deadline) {
    while (out_ || err_) {
      const auto left = std::chrono::duration_cast<Millis>(deadline - RealClock().Now()).count();
      if (left <= 0) return false;
      std::array<pollfd, 3> polled = {
          {{in_.get(), POLLOUT, 0}, {out_.get(), POLLIN, 0}, {err_.get(), POLLIN, 0}}};
      if (poll(polled.data(), polled.size(), static_cast<int>(left)) < 0 && errno != EINTR) {
        return false;
      }
      if (polled[0].revents != 0) Feed();
      if (polled[1].revents != 0) Take(out_, output);
      if (polled[2].revents != 0) Take(err_, errors);
    }
    return true;
  }

  std::string output;
  std::string errors;

 private:
  void Feed() {
    const ssize_t written = write(in_.get(), input_.data() + fed_, input_.size() - fed_);
    if (written > 0) fed_ += static_cast<size_t>(written);
    if (fed_ == input_.size() || (written < 0 && errno != EAGAIN)) in_.Reset();
  }

  static void Take(UniqueFd& from, std::string& into) {
    std::array<char, 16 << 10> buffer;
    const ssize_t size = read(from.get(), buffer.data(), buffer.size());
    if (size <= 0 || into.size() > kOutputBytesMax) return from.Reset();
    into.append(buffer.data(), static_cast<size_t>(size));
  }

  const std::string& input_;
  size_t fed_ = 0;
  UniqueFd& in_;
  UniqueFd& out_;
  UniqueFd& err_;
};

Error Failed(const std::string& program, const std::string& why) {
  return {Code::kInternal, program + ": " + why};
}

}  // namespace

Result<std::string> RunProgram(const std::vector<std::string>& argv, const std::string& input,
                               Nanos timeout) {
  Pipe in;
  Pipe out;
  Pipe err;
  if (!in.Open() || !out.Open() || !err.Open()) {
    return Failed(argv[0], "pipe: " + std::generic_category().message(errno));
  }
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.read.get(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out.write.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err.write.get(), STDERR_FILENO);
  std::vector<char*> arguments;
  for (const std::string& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  pid_t child = 0;
  const int spawned =
      posix_spawnp(&child, argv[0].c_str(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (spawned != 0) {
    Error error = Failed(argv[0], std::generic_category().message(spawned));
    if (spawned == ENOENT) error.code = Code::kNotFound;
    return error;
  }
  in.read.Reset();
  out.write.Reset();
  err.write.Reset();

  Conversation conversation(input, in, out, err);
  const bool ended = conversation.Run(RealClock().Now() + timeout);
  if (!ended) kill(child, SIGKILL);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!ended) return Failed(argv[0], "did not end in time");
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return std::move(conversation.output);
  std::string why = conversation.errors.substr(0, kErrorBytesShown);
  while (why.ends_with('\n')) why.pop_back();
  return Failed(argv[0], why.empty() ? "failed" : why);
}

}  // namespace updraft::node_agent
