// A program that runs in the background of a test, and ends with it.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace updraft::node_agent {

class Daemon {
 public:
  // Standard output and error go to `log`.
  Daemon(const std::vector<std::string>& argv, const std::string& log);
  ~Daemon() { Stop(); }
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // SIGTERM, and waits.
  void Stop();

 private:
  pid_t pid_ = -1;
};

// Spin until somebody listens; false after 20 s.
bool AwaitTcp(int port);
bool AwaitUnix(const std::string& path);

int FreePort();

// Runs a program that must succeed; aborts the test program otherwise.
std::string MustRun(const std::vector<std::string>& argv, const std::string& input = "");

}  // namespace updraft::node_agent
