// Where the lines of a container come from when a client reads pods/NAME/log. Loop thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/base/result.h"
#include "core/http/task.h"

namespace updraft::controller {

struct LogRequest {
  std::string ns = {};
  std::string pod = {};
  std::string container = {};  // one of the pod's
  bool follow = false;         // until the instance is gone
  bool previous = false;       // of the container's previous run
  bool timestamps = false;     // each line starts with RFC 3339 time
  std::optional<int64_t> tail_lines = std::nullopt;
  std::optional<int64_t> since_ns = std::nullopt;  // wall clock, unix: lines from then on
  std::optional<int64_t> limit_bytes = std::nullopt;
};

// One reading of a log. Destroying it ends the reading at once, a Next() that waits included.
class LogStream {
 public:
  virtual ~LogStream() = default;

  // The next bytes, empty at the end. kNotFound: no such instance or run; kFailedPrecondition: the
  // container has not started; kUnavailable: its node is away; kCancelled: after Cancel().
  virtual http::Task<Result<std::string>> Next() = 0;

  // Makes a Next() that waits, and all later ones, return kCancelled. Nobody reads any more.
  virtual void Cancel() = 0;
};

class LogSource {
 public:
  virtual ~LogSource() = default;

  // Never null; what is wrong is told by the first Next().
  virtual std::unique_ptr<LogStream> Open(LogRequest request) = 0;
};

}  // namespace updraft::controller
