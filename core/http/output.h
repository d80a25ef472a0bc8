// Writing to a stream: at once when it takes it, else from a copy while the caller waits. Loop
// thread only.
#pragma once

#include <array>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/http/stream.h"
#include "core/http/task.h"

namespace updraft::http {

// What goes out in one system call. Views; what they show must stay until WriteNow() returns.
class Pieces {
 public:
  void Add(std::string_view bytes) {
    if (bytes.empty()) return;
    left_ += bytes.size();
    iov_[count_++] = {const_cast<char*>(bytes.data()), bytes.size()};  // NOLINT: only read
  }
  // Writes until all is out or the stream takes no more.
  IoState WriteNow(Stream& stream);
  std::string Rest() const;
  bool anything_written() const { return written_; }

 private:
  bool written_ = false;
  std::array<iovec, 6> iov_;
  size_t first_ = 0;
  size_t count_ = 0;
  size_t left_ = 0;  // bytes
};

// Gives up when nothing moves for `stall_timeout`. kUnavailable: the peer is gone;
// kDeadlineExceeded; kCancelled: interrupted.
Task<Status> WriteRest(Stream& stream, std::string rest, Nanos stall_timeout);

}  // namespace updraft::http
