// A progress bar on a terminal, and a line per step elsewhere.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>

namespace updraft::cli {

// One thread. `out` must outlive it.
class ProgressBar {
 public:
  // `terminal`: draw over the line. `total`: bytes; 0: unknown.
  ProgressBar(std::ostream& out, bool terminal, int64_t total)
      : out_(out), terminal_(terminal), total_(total) {}
  // Leaves the cursor on a line of its own.
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  void Show(int64_t done, const std::string& step);

 private:
  std::ostream& out_;
  const bool terminal_;
  const int64_t total_;
  std::string last_step_;
  bool drawn_ = false;
};

// "[#####     ]  50 %". Pure.
std::string DrawBar(int64_t done, int64_t total, int width);

}  // namespace updraft::cli
