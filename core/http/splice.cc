#include "core/http/splice.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace updraft::http {
namespace {

constexpr size_t kIdlePipesMax = 16;
// A pipe holds a piece of memory of any size in each of its places, of which it has one for 4 kB. What comes from a network is in
// pieces of some kB.
constexpr int kPipeBytes = 256 << 10;
// At once; others have their turn between.
constexpr uint64_t kFillBytesMax = 128 << 10;

// Empty pipes of this thread, to be used again.
thread_local std::vector<Splice::Pipe> idle_pipes;  // NOLINT: of trivial use

Splice::Pipe TakePipe() {
  Splice::Pipe pipe;
  if (!idle_pipes.empty()) {
    pipe = std::move(idle_pipes.back());
    idle_pipes.pop_back();
    return pipe;
  }
  int ends[2];
  if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0) return pipe;
  pipe.out = UniqueFd(ends[0]);
  pipe.in = UniqueFd(ends[1]);
  (void)fcntl(ends[1], F_SETPIPE_SZ, kPipeBytes);  // refused: it stays as it is, and more calls are needed
  return pipe;
}

}  // namespace

Splice::Splice(const RawBody& from, const RawBody& to)
    : from_(*from.stream), to_(*to.stream), left_(from.left), pipe_(TakePipe()) {}

Splice::~Splice() {
  if (possible() && within_ == 0 && idle_pipes.size() < kIdlePipesMax) idle_pipes.push_back(std::move(pipe_));
}

Task<Splice::Moved> Splice::Move() {
  Moved moved;
  while (within_ == 0) {
    const WaitEnd wait = co_await from_.Readable(TimePoint::max());
    if (wait != WaitEnd::kReady) co_return Ended(moved, End::kInterrupted);
    const IoResult filled = from_.SpliceInto(pipe_.in.get(), std::min(left_, kFillBytesMax));
    if (filled.state == IoState::kEnd || filled.state == IoState::kBroken) co_return Ended(moved, End::kFromEnded);
    within_ = filled.bytes;
    moved.taken = filled.bytes;
  }
  while (moved.sent == 0) {
    const WaitEnd wait = co_await to_.Writable(TimePoint::max());
    if (wait != WaitEnd::kReady) co_return Ended(moved, End::kInterrupted);
    const IoResult drained = to_.SpliceFrom(pipe_.out.get(), within_);
    if (drained.state == IoState::kBroken) co_return Ended(moved, End::kToBroken);
    moved.sent = drained.bytes;
  }
  within_ -= moved.sent;
  left_ -= moved.sent;
  co_return moved;
}

Splice::Moved Splice::Ended(Moved moved, End end) {
  moved.end = end;
  return moved;
}

}  // namespace updraft::http
