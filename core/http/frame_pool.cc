#include "core/http/frame_pool.h"

#include <array>
#include <new>

namespace updraft::http {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr size_t kPooledBytesMax = 0;  // every frame from the heap, so that a use after its end is seen
#else
constexpr size_t kPooledBytesMax = 4096;
#endif
constexpr size_t kClassBytes = 64;
constexpr size_t kFreeFramesMax = 1024;  // per class and thread; a burst's memory goes back to the heap

struct FreeFrame {
  FreeFrame* next = nullptr;
};

class Pool {
 public:
  ~Pool() {
    for (List& list : lists_) {
      while (void* frame = Pop(list)) ::operator delete(frame);
    }
  }

  void* Take(size_t index) {
    if (void* frame = Pop(lists_[index])) return frame;
    return ::operator new((index + 1) * kClassBytes);
  }

  void Give(size_t index, void* frame) {
    List& list = lists_[index];
    if (list.count == kFreeFramesMax) {
      ::operator delete(frame);
      return;
    }
    list.first = new (frame) FreeFrame{list.first};
    ++list.count;
  }

 private:
  struct List {
    FreeFrame* first = nullptr;
    size_t count = 0;
  };

  static void* Pop(List& list) {
    FreeFrame* const frame = list.first;
    if (frame == nullptr) return nullptr;
    list.first = frame->next;
    --list.count;
    return frame;
  }

  std::array<List, 4096 / kClassBytes> lists_;
};

thread_local Pool pool;

}  // namespace

void* AllocateFrame(size_t size) {
  if (size > kPooledBytesMax) return ::operator new(size);
  return pool.Take((size - 1) / kClassBytes);
}

void FreeFrame(void* frame, size_t size) {
  if (size > kPooledBytesMax) {
    ::operator delete(frame);
    return;
  }
  pool.Give((size - 1) / kClassBytes, frame);
}

}  // namespace updraft::http
