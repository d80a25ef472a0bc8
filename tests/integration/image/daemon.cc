#include "tests/integration/image/daemon.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <iostream>

#include "core/base/check.h"
#include "core/base/clock.h"
#include "core/base/unique_fd.h"
#include "node-agent/network/program.h"

namespace updraft::node_agent {
namespace {

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

bool Await(int family, const sockaddr* address, socklen_t length) {
  const TimePoint deadline = RealClock().Now() + Seconds(20);
  while (RealClock().Now() < deadline) {
    const UniqueFd fd(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (connect(fd.get(), address, length) == 0) return true;
    sched_yield();
  }
  return false;
}

}  // namespace

Daemon::Daemon(const std::vector<std::string>& argv, const std::string& log) {
  std::vector<char*> arguments;
  for (const std::string& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  pid_ = fork();
  UPDRAFT_CHECK(pid_ >= 0);
  if (pid_ != 0) return;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int fd = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  dup2(fd, STDOUT_FILENO);
  dup2(fd, STDERR_FILENO);
  execvp(arguments[0], arguments.data());
  _exit(127);
}

void Daemon::Stop() {
  if (pid_ < 0) return;
  kill(pid_, SIGTERM);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

bool AwaitTcp(int port) {
  const sockaddr_in address = Loopback(port);
  return Await(AF_INET, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
}

bool AwaitUnix(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
  return Await(AF_UNIX, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
}

int FreePort() {
  const UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = Loopback(0);
  socklen_t length = sizeof(address);
  UPDRAFT_CHECK(bind(fd.get(), reinterpret_cast<sockaddr*>(&address), length) == 0);
  UPDRAFT_CHECK(getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &length) == 0);
  return ntohs(address.sin_port);
}

std::string MustRun(const std::vector<std::string>& argv, const std::string& input) {
  const auto output = RunProgram(argv, input, Seconds(60));
  if (!output) std::cerr << argv[0] << ": " << output.error().message << "\n";
  UPDRAFT_CHECK(output.has_value());
  return *output;
}

}  // namespace updraft::node_agent
