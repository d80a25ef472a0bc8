#include "core/http/frame_pool.h"

#include <cstdint>
#include <new>

namespace updraft::http {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kPooling = false;  // every frame from the heap, so that a use after its end is seen
#else
constexpr bool kPooling = true;
#endif
constexpr size_t kPooledBytesMax = 4096;
constexpr size_t kClassBytes = 64;
constexpr uint32_t kFreeFramesMax =
    1024;  // per class and thread; a burst's memory goes back to the heap

struct FreeList {
  void* first = nullptr;  // each begins with the pointer to the next
  uint32_t count = 0;
};

// Plain and constant-initialised, so that reaching them takes no more than an address.
constinit thread_local FreeList lists[kPooledBytesMax / kClassBytes];

void* Pop(FreeList& list) {
  void* const frame = list.first;
  list.first = *static_cast<void**>(frame);
  --list.count;
  return frame;
}

// Gives the frames back to the heap when its thread ends.
struct Emptier {
  ~Emptier() {
    for (FreeList& list : lists) {
      while (list.count > 0) ::operator delete(Pop(list));
      list.count = kFreeFramesMax;  // what is freed later goes to the heap at once
    }
  }
};

void* NewFrame(size_t size) {
  thread_local Emptier emptier;
  (void)emptier;
  return ::operator new(size);
}

}  // namespace

void* AllocateFrame(size_t size) {
  if (!kPooling || size > kPooledBytesMax) return ::operator new(size);
  const size_t index = (size - 1) / kClassBytes;
  FreeList& list = lists[index];
  if (list.first == nullptr) return NewFrame((index + 1) * kClassBytes);
  return Pop(list);
}

void FreeFrame(void* frame, size_t size) {
  if (!kPooling || size > kPooledBytesMax) {
    ::operator delete(frame);
    return;
  }
  FreeList& list = lists[(size - 1) / kClassBytes];
  if (list.count == kFreeFramesMax) {
    ::operator delete(frame);
    return;
  }
  *static_cast<void**>(frame) = list.first;
  list.first = frame;
  ++list.count;
}

}  // namespace updraft::http
