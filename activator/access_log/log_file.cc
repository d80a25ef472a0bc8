#include "activator/access_log/log_file.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace updraft::activator {
namespace {

constexpr std::string_view kStandardOutput = "-";

Error FileError(const std::string& path) {
  return {Code::kUnavailable, path + ": " + std::generic_category().message(errno)};
}

UniqueFd OpenPath(const std::string& path) {
  return UniqueFd(open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640));
}

}  // namespace

Result<LogFile> LogFile::Open(const std::string& path) {
  UniqueFd fd = path == kStandardOutput ? UniqueFd(fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)) : OpenPath(path);
  if (!fd) return FileError(path);
  return LogFile(path, std::move(fd));
}

Status LogFile::FollowPath() {
  if (path_ == kStandardOutput) return Ok();
  struct stat named {};
  struct stat opened {};
  const bool there = stat(path_.c_str(), &named) == 0;
  if (fstat(fd_.get(), &opened) != 0) return FileError(path_);
  if (there && named.st_ino == opened.st_ino && named.st_dev == opened.st_dev) return Ok();
  UniqueFd fd = OpenPath(path_);
  if (!fd) return FileError(path_);
  fd_ = std::move(fd);
  return Ok();
}

Status LogFile::Write(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(fd_.get(), text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<size_t>(written));
    } else if (errno == EAGAIN) {
      pollfd waiting{fd_.get(), POLLOUT, 0};  // a pipe that its reader made non-blocking
      poll(&waiting, 1, -1);
    } else if (errno != EINTR) {
      return FileError(path_);
    }
  }
  return Ok();
}

}  // namespace updraft::activator
