// Finds where the last lines of a log begin, reading backwards from its end in bounded steps.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/unique_fd.h"

namespace updraft::node_agent {

struct LogPosition {
  size_t file = 0;  // index into the files
  uint64_t offset = 0;

  bool operator==(const LogPosition&) const = default;
};

// Counts lines, not records: the pieces of a long line go with its end. One thread.
class TailLocator {
 public:
  // `fds`: the log's files, oldest first; they must outlive it. It looks at what they hold now.
  TailLocator(std::vector<int> fds, uint64_t lines);

  // Reads about 256 kB. True: position() is known.
  bool Step();
  const LogPosition& position() const { return position_; }

 private:
  bool StepBackInto(uint64_t begin, uint64_t end);
  void EnterFile(size_t file);

  const std::vector<int> fds_;
  uint64_t lines_left_;
  size_t file_ = 0;           // that is searched
  uint64_t searched_to_ = 0;  // its records from here on are counted
  LogPosition position_;      // where the record begins that follows the last one counted
  bool found_ = false;
};

}  // namespace updraft::node_agent
