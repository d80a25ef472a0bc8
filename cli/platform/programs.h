// The programs of a platform, in starting order, and how each is called. Pure.
//
// Stopping goes the other way: first what takes requests, then what decides, then what runs containers.
#pragma once

#include <string>
#include <vector>

#include "cli/platform/config.h"

namespace updraft::cli {

struct Program {
  std::string name;
  std::vector<std::string> argv;        // argv[0]: absolute path
  bool in_mount_namespace = false;      // containerd and what looks into its mounts
  std::string ready_address;            // "ip:port" that answers GET /readyz; empty: see ready_socket
  std::string ready_socket;             // a unix socket that accepts once the program is up
  bool hands_over = false;  // a second one takes over from the first: it is restarted by hand-over
};

std::vector<Program> ProgramsOf(const PlatformConfig& config);

}  // namespace updraft::cli
