// A body on its way from one socket to another that this process never sees: the kernel moves it through a pipe, page by
// page. Loop thread only.
#pragma once

#include <cstdint>

#include "core/base/unique_fd.h"
#include "core/http/stream.h"
#include "core/http/task.h"

namespace updraft::http {

// The rest of a body of known length, as it lies on a socket or goes there.
struct RawBody {
  Stream* stream = nullptr;  // null: the body is not like that
  uint64_t left = 0;         // at the most, where it goes
};

class Splice {
 public:
  // What is less than this is read and written.
  static constexpr uint64_t kBytesMin = 16 << 10;
  static bool Pays(const RawBody& from, const RawBody& to) {
    return from.stream != nullptr && to.stream != nullptr && from.left >= kBytesMin && from.left <= to.left;
  }

  // All of `from`. REQUIRES: Pays(). Both streams outlive it.
  Splice(const RawBody& from, const RawBody& to);
  // What is in the pipe by then is lost.
  ~Splice();
  Splice(const Splice&) = delete;
  Splice& operator=(const Splice&) = delete;

  // False: the process has no descriptors left for a pipe. Nothing has been moved.
  bool possible() const { return static_cast<bool>(pipe_.in); }

  enum class End : uint8_t { kMoved, kInterrupted, kFromEnded, kToBroken };
  struct Moved {
    uint64_t taken = 0;  // bytes that left `from`, however it ended
    uint64_t sent = 0;   // bytes that came to `to`; more than 0 with kMoved
    End end = End::kMoved;
  };
  // Waits until something can be moved, and moves it. REQUIRES: possible(), left() > 0.
  Task<Moved> Move();
  uint64_t left() const { return left_; }  // bytes that have not come to `to`

  struct Pipe {
    UniqueFd out;  // for reading
    UniqueFd in;
  };

 private:
  static Moved Ended(Moved moved, End end);

  Stream& from_;
  Stream& to_;
  uint64_t left_;
  uint64_t within_ = 0;  // the pipe
  Pipe pipe_;
};

}  // namespace updraft::http
