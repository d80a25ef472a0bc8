#include "core/http/frame_pool.h"

#include <utility>

namespace updraft::http::internal {

constinit thread_local FreeFrames free_frames[FrameClass(kPooledBytesMax) + 1];

namespace {

// Gives the frames back to the heap when its thread ends.
struct Emptier {
  ~Emptier() {
    for (FreeFrames& frames : free_frames) {
      while (frames.first != nullptr) {
        void* const frame = std::exchange(frames.first, *static_cast<void**>(frames.first));
        ::operator delete(frame);
      }
      frames.count = kFreeFramesMax;  // what is freed later goes to the heap at once
    }
  }
};

}  // namespace

void* NewFrame(size_t size) {
  thread_local Emptier emptier;
  (void)emptier;
  return ::operator new(size);
}

}  // namespace updraft::http::internal
