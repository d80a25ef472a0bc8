#include "node-agent/logs/tail_locator.h"

#include <sys/stat.h>

#include <algorithm>

#include "node-agent/logs/cri_record.h"

namespace updraft::node_agent {
namespace {

constexpr uint64_t kBlockBytes = 64 * 1024;
constexpr int kBlocksPerStep = 4;

uint64_t SizeOf(int fd) {
  struct stat status {};
  return fstat(fd, &status) == 0 ? static_cast<uint64_t>(status.st_size) : 0;
}

// Bytes [begin, end) of the file, fewer if it is shorter.
std::string ReadRange(int fd, uint64_t begin, uint64_t end) {
  std::string bytes(end - begin, '\0');
  size_t filled = 0;
  while (filled < bytes.size()) {
    const ssize_t got =
        pread(fd, bytes.data() + filled, bytes.size() - filled, static_cast<off_t>(begin + filled));
    if (got <= 0) break;
    filled += static_cast<size_t>(got);
  }
  bytes.resize(filled);
  return bytes;
}

}  // namespace

TailLocator::TailLocator(std::vector<int> fds, uint64_t lines)
    : fds_(std::move(fds)), lines_left_(lines) {
  if (fds_.empty()) {
    found_ = true;
    return;
  }
  EnterFile(fds_.size() - 1);
  position_ = {file_, searched_to_};
  found_ = lines == 0;
}

void TailLocator::EnterFile(size_t file) {
  file_ = file;
  searched_to_ = SizeOf(fds_[file]);
}

bool TailLocator::Step() {
  for (int block = 0; block < kBlocksPerStep && !found_; ++block) {
    if (searched_to_ > 0) {
      const uint64_t begin = searched_to_ > kBlockBytes ? searched_to_ - kBlockBytes : 0;
      found_ = StepBackInto(begin, searched_to_);
      searched_to_ = begin;
    } else if (file_ > 0) {
      EnterFile(file_ - 1);
    } else {
      found_ = true;  // the log has fewer lines
    }
  }
  return found_;
}

// Counts the records that begin in [begin, end), last first; the bytes after `end` are those of
// their heads.
bool TailLocator::StepBackInto(uint64_t begin, uint64_t end) {
  const uint64_t from =
      begin > 0 ? begin - 1 : 0;  // the line feed before a record that begins at `begin`
  const std::string bytes = ReadRange(fds_[file_], from, end + kLogContentOffset);
  for (uint64_t start = end; start-- > begin;) {
    const bool begins_record =
        start == 0 || (start - from <= bytes.size() && bytes[start - from - 1] == '\n');
    if (!begins_record || start - from >= bytes.size()) continue;
    const size_t tag = start - from + kLogTagOffset;
    const bool ends_line = tag >= bytes.size() || bytes[tag] != 'P';
    if (ends_line && lines_left_-- == 0) return true;
    position_ = {file_, start};
  }
  return false;
}

}  // namespace updraft::node_agent
