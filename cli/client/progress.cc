#include "cli/client/progress.h"

#include <algorithm>

namespace updraft::cli {
namespace {

constexpr int kBarWidth = 40;

}  // namespace

std::string DrawBar(int64_t done, int64_t total, int width) {
  const double fraction =
      total > 0 ? std::clamp(static_cast<double>(done) / static_cast<double>(total), 0.0, 1.0)
                : 0.0;
  const auto filled = static_cast<size_t>(fraction * width);
  std::string percent = std::to_string(static_cast<int>(fraction * 100));
  percent.insert(0, 3 - std::min<size_t>(3, percent.size()), ' ');
  return "[" + std::string(filled, '#') + std::string(static_cast<size_t>(width) - filled, ' ') +
         "] " + percent + " %";
}

ProgressBar::~ProgressBar() {
  if (drawn_) out_ << "\n";
}

void ProgressBar::Show(int64_t done, const std::string& step) {
  if (terminal_) {
    out_ << "\r\033[K" << DrawBar(done, total_, kBarWidth) << "  " << step << std::flush;
    drawn_ = true;
  } else if (step != last_step_) {
    out_ << step << std::endl;
  }
  last_step_ = step;
}

}  // namespace updraft::cli
