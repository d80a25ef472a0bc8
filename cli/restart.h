// `updraft restart`: one program of the platform anew, with the binary that is there now.
#pragma once

#include <string>

namespace updraft::cli {

struct RestartOptions {
  std::string run;
  std::string program;
};

// The activator is followed by a new one that takes its listening sockets over: no connection is
// refused. The others are stopped and started. An exit code.
int Restart(const RestartOptions& options);

}  // namespace updraft::cli
