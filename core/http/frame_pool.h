// Memory for coroutine frames: free lists by size, one set per thread, so that a request's frames
// cost no malloc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>

namespace updraft::http {
namespace internal {

#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool kPooling = false;  // every frame from the heap: a use after its end is seen
#else
inline constexpr bool kPooling = true;
#endif
inline constexpr size_t kPooledBytesMax = 4096;
inline constexpr uint32_t kFreeFramesMax =
    1024;  // per class and thread; a burst's memory goes back to the heap

struct FreeFrames {
  void* first = nullptr;  // each begins with the pointer to the next
  uint32_t count = 0;
};

// Frames of 8, 24, 40, ... bytes: what glibc gives without loss.
constexpr size_t FrameClass(size_t size) { return (size + 7) / 16; }
constexpr size_t FrameBytes(size_t frame_class) { return frame_class * 16 + 8; }

// Plain and constant-initialised, so that reaching them takes no more than an address.
extern constinit thread_local FreeFrames free_frames[FrameClass(kPooledBytesMax) + 1];

// From the heap, and back to it.
void* NewFrame(size_t size);
void DeleteFrame(void* frame);

}  // namespace internal

// Frames that came from the heap and went back to it, of all threads. Once the threads that used some have ended, but for
// the one that asks, all others are lost.
struct FrameCounts {
  uint64_t made = 0;
  uint64_t freed = 0;
  uint64_t kept = 0;  // free, by the calling thread
};
FrameCounts CountFrames();

// Inline because a frame's size is known where it is made.
inline void* AllocateFrame(size_t size) {
  if (!internal::kPooling || size > internal::kPooledBytesMax) return internal::NewFrame(size);
  const size_t frame_class = internal::FrameClass(size);
  internal::FreeFrames& frames = internal::free_frames[frame_class];
  void* const frame = frames.first;
  if (frame == nullptr) return internal::NewFrame(internal::FrameBytes(frame_class));
  frames.first = *static_cast<void**>(frame);
  --frames.count;
  return frame;
}

// Any thread, whichever allocated it.
inline void FreeFrame(void* frame, size_t size) {
  internal::FreeFrames* const frames =
      size <= internal::kPooledBytesMax ? &internal::free_frames[internal::FrameClass(size)] : nullptr;
  if (!internal::kPooling || frames == nullptr || frames->count == internal::kFreeFramesMax) {
    internal::DeleteFrame(frame);
    return;
  }
  *static_cast<void**>(frame) = frames->first;
  frames->first = frame;
  ++frames->count;
}

}  // namespace updraft::http
