// The file that a container's log is appended to, rotated when it is full.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/base/unique_fd.h"

namespace updraft::node_agent {

struct LogFileLimits {
  uint64_t file_bytes_max = 10 << 20;
  size_t files_max = 5;  // of one run of a container, the one that is written included
};

// Counted over all logs of a node.
struct LogCounters {
  uint64_t bytes_written = 0;
  uint64_t bytes_dropped = 0;  // could not be written: the disk was full or broken
};

// Loop thread only. Never fails: what cannot be written is dropped, counted, and warned of once
// until writing works again. The counters must outlive it.
class LogFile {
 public:
  LogFile(std::string path, LogFileLimits limits, LogCounters& counters);

  // `records` are whole ones. They land in one file, all or none.
  void Append(std::string_view records);

 private:
  Status Write(std::string_view records);
  Status OpenNewest();
  Status Rotate();

  const std::string path_;
  const LogFileLimits limits_;
  LogCounters& counters_;
  UniqueFd fd_;
  uint64_t size_ = 0;
  std::deque<uint64_t> rotated_;  // numbers of the full files, oldest first
  uint64_t dropped_in_a_row_ = 0;
};

}  // namespace updraft::node_agent
