#include "core/http/frame_pool.h"

#include <atomic>
#include <utility>

namespace updraft::http::internal {

constinit thread_local FreeFrames free_frames[FrameClass(kPooledBytesMax) + 1];

namespace {

std::atomic<uint64_t> frames_made = 0;
std::atomic<uint64_t> frames_freed = 0;

// Gives the frames back to the heap when its thread ends.
struct Emptier {
  ~Emptier() {
    for (FreeFrames& frames : free_frames) {
      while (frames.first != nullptr) {
        void* const frame = std::exchange(frames.first, *static_cast<void**>(frames.first));
        DeleteFrame(frame);
      }
      frames.count = kFreeFramesMax;  // what is freed later goes to the heap at once
    }
  }
};

}  // namespace

void* NewFrame(size_t size) {
  thread_local Emptier emptier;
  (void)emptier;
  frames_made.fetch_add(1, std::memory_order_relaxed);
  return ::operator new(size);
}

void DeleteFrame(void* frame) {
  frames_freed.fetch_add(1, std::memory_order_relaxed);
  ::operator delete(frame);
}

}  // namespace updraft::http::internal

namespace updraft::http {

FrameCounts CountFrames() {
  FrameCounts counts{.made = internal::frames_made.load(std::memory_order_relaxed),
                     .freed = internal::frames_freed.load(std::memory_order_relaxed)};
  for (const internal::FreeFrames& frames : internal::free_frames) {
    if (frames.first != nullptr) counts.kept += frames.count;
  }
  return counts;
}

}  // namespace updraft::http
