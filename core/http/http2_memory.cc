#include "core/http/http2_memory.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

#include "core/http/frame_pool.h"

namespace updraft::http {
namespace {

// nghttp2 does not say how large what it frees was: that stands before each block.
struct alignas(std::max_align_t) Prefix {
  size_t size;
};

void* Allocate(size_t size, void*) {
  if (size > std::numeric_limits<size_t>::max() - sizeof(Prefix)) return nullptr;
  auto* const prefix = static_cast<Prefix*>(AllocateFrame(sizeof(Prefix) + size));
  prefix->size = size;
  return prefix + 1;
}

void Free(void* block, void*) {
  if (block == nullptr) return;
  auto* const prefix = static_cast<Prefix*>(block) - 1;
  FreeFrame(prefix, sizeof(Prefix) + prefix->size);
}

void* AllocateZeroed(size_t count, size_t size, void* user) {
  if (size != 0 && count > std::numeric_limits<size_t>::max() / size) return nullptr;
  void* const block = Allocate(count * size, user);
  if (block != nullptr) std::memset(block, 0, count * size);
  return block;
}

void* Reallocate(void* block, size_t size, void* user) {
  if (block == nullptr) return Allocate(size, user);
  const size_t had = (static_cast<Prefix*>(block) - 1)->size;
  if (size <= had && size > had / 2) return block;
  void* const moved = Allocate(size, user);
  if (moved == nullptr) return nullptr;
  std::memcpy(moved, block, std::min(had, size));
  Free(block, user);
  return moved;
}

}  // namespace

nghttp2_mem* Http2Memory() {
  static nghttp2_mem memory{nullptr, Allocate, Free, AllocateZeroed, Reallocate};
  return &memory;
}

}  // namespace updraft::http
