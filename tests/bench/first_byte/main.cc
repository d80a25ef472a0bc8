// Milliseconds from now to the first byte of an HTTP answer.
//
//   updraft_first_byte --port PORT [--address IP] [--host HOST] [-- COMMAND...]
//
// With a command, time starts when it is started, and the port is tried until something listens there; the command's
// process group is killed afterwards. Prints "MILLISECONDS STATUS".
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

namespace {

using SteadyClock = std::chrono::steady_clock;
constexpr auto kDeadline = std::chrono::seconds(30);

pid_t StartCommand(std::vector<std::string>& words) {
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  // What it starts may outlive it: it must not hold the reader of our own output.
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  const pid_t pid = vfork();
  if (pid == 0) {
    setpgid(0, 0);
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    dup2(null, STDERR_FILENO);
    execvp(argv[0], argv.data());
    _exit(127);
  }
  return pid;
}

// A connection; tries every 0.2 ms, which is what the resolution of the result is.
int Connect(const sockaddr_in& address, SteadyClock::time_point start) {
  while (SteadyClock::now() - start < kDeadline) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
    close(fd);
    const timespec pause = {.tv_sec = 0, .tv_nsec = 200'000};
    nanosleep(&pause, nullptr);
  }
  return -1;
}

}  // namespace

int main(int argc, char** argv) {
  int port = 0;
  std::string ip = "127.0.0.1";
  std::string host = "localhost";
  std::vector<std::string> command;
  CLI::App app("Time to first byte");
  app.add_option("--port", port)->required();
  app.add_option("--address", ip);
  app.add_option("--host", host);
  app.add_option("command", command);
  CLI11_PARSE(app, argc, argv);

  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  inet_pton(AF_INET, ip.c_str(), &address.sin_addr);
  const std::string request = "GET / HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n";

  const auto start = SteadyClock::now();
  const pid_t child = command.empty() ? 0 : StartCommand(command);
  const int fd = Connect(address, start);
  char answer[64] = {};
  const int yes = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  const bool answered = fd >= 0 && send(fd, request.data(), request.size(), MSG_NOSIGNAL) > 0 &&
                        recv(fd, answer, sizeof answer - 1, 0) > 12;
  const std::chrono::duration<double, std::milli> took = SteadyClock::now() - start;
  if (child > 0) {
    kill(-child, SIGKILL);
    waitpid(child, nullptr, 0);
  }
  if (!answered) {
    std::fprintf(stderr, "no answer\n");
    return 1;
  }
  std::printf("%.3f %.3s\n", took.count(), answer + 9);
  return 0;
}
