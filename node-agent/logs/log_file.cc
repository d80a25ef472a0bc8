#include "node-agent/logs/log_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

#include "core/base/log.h"
#include "node-agent/logs/log_place.h"

namespace updraft::node_agent {
namespace {

constexpr mode_t kLogMode = 0640;

Error FromErrno(const char* doing) {
  return {Code::kInternal, std::string(doing) + ": " + strerror(errno)};
}

// A machine that lost power may have left the beginning of a record: it ends here, whatever it
// says.
bool EndsWithinRecord(int fd, uint64_t size) {
  char last = '\n';
  return size > 0 && pread(fd, &last, 1, static_cast<off_t>(size - 1)) == 1 && last != '\n';
}

}  // namespace

LogFile::LogFile(std::string path, LogFileLimits limits, LogCounters& counters)
    : path_(std::move(path)), limits_(limits), counters_(counters) {}

void LogFile::Append(std::string_view records) {
  const Status written = Write(records);
  if (written) {
    counters_.bytes_written += records.size();
    if (dropped_in_a_row_ == 0) return;
    Log(Level::kInfo, "container_log_resumed",
        {{"path", path_}, {"bytes_dropped", dropped_in_a_row_}});
    dropped_in_a_row_ = 0;
    return;
  }
  if (dropped_in_a_row_ == 0) {
    Log(Level::kWarn, "container_log_dropped",
        {{"path", path_}, {"error", written.error().message}});
  }
  dropped_in_a_row_ += records.size();
  counters_.bytes_dropped += records.size();
}

Status LogFile::Write(std::string_view records) {
  if (!fd_) {
    if (Status opened = OpenNewest(); !opened) return opened;
  }
  if (size_ > 0 && size_ + records.size() > limits_.file_bytes_max) {
    if (Status rotated = Rotate(); !rotated) return rotated;
  }
  const ssize_t written = write(fd_.get(), records.data(), records.size());
  if (written == static_cast<ssize_t>(records.size())) {
    size_ += records.size();
    return Ok();
  }
  const Error error =
      written < 0 ? FromErrno("write") : Error{Code::kInternal, "write: no space left on device"};
  if (written > 0 && ftruncate(fd_.get(), static_cast<off_t>(size_)) != 0)
    fd_.Reset();  // reopened and repaired
  return error;
}

Status LogFile::OpenNewest() {
  std::error_code ignored;  // open() tells
  std::filesystem::create_directories(std::filesystem::path(path_).parent_path(), ignored);
  UniqueFd fd(open(path_.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, kLogMode));
  struct stat status {};
  if (!fd || fstat(fd.get(), &status) != 0) return FromErrno("open");
  size_ = static_cast<uint64_t>(status.st_size);
  if (EndsWithinRecord(fd.get(), size_)) {
    if (write(fd.get(), "\n", 1) != 1) return FromErrno("write");
    ++size_;
  }
  const std::vector<uint64_t> rotated = RotatedNumbers(path_);
  rotated_.assign(rotated.begin(), rotated.end());
  fd_ = std::move(fd);
  return Ok();
}

Status LogFile::Rotate() {
  const uint64_t number = rotated_.empty() ? 1 : rotated_.back() + 1;
  if (rename(path_.c_str(), (path_ + "." + std::to_string(number)).c_str()) != 0)
    return FromErrno("rename");
  rotated_.push_back(number);
  while (rotated_.size() + 1 > limits_.files_max) {
    unlink((path_ + "." + std::to_string(rotated_.front())).c_str());
    rotated_.pop_front();
  }
  fd_.Reset();
  return OpenNewest();
}

}  // namespace updraft::node_agent
