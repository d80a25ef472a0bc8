// The very end of a log, for a message about a container that failed.
#pragma once

#include <cstddef>
#include <string>

namespace updraft::node_agent {

struct LogTailLimits {
  size_t lines_max = 80;  // kubelet's figures
  size_t bytes_max = 2048;
};

// Plain text, without times. Empty when there is no log. Reads 64 kB at most.
std::string TailOfLog(const std::string& log_path, const LogTailLimits& limits);

}  // namespace updraft::node_agent
