// Where log lines end: a file, or standard output. One thread, which it may block.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/base/unique_fd.h"

namespace updraft::activator {

class LogFile {
 public:
  // A path, or "-" for standard output. Append-only; made with mode 0640. kUnavailable: it cannot be
  // opened.
  static Result<LogFile> Open(const std::string& path);

  // Opens the path again when it no longer names the open file: who rotates logs renames them, and
  // needs to tell nobody.
  Status FollowPath();
  Status Write(std::string_view text);

 private:
  LogFile(std::string path, UniqueFd fd) : path_(std::move(path)), fd_(std::move(fd)) {}

  std::string path_;
  UniqueFd fd_;
};

}  // namespace updraft::activator
