// Memory for coroutine frames: free lists by size, one set per thread, so that a request's frames
// cost no malloc.
#pragma once

#include <cstddef>

namespace updraft::http {

// A frame may be freed by another thread than the one that allocated it.
void* AllocateFrame(size_t size);
void FreeFrame(void* frame, size_t size);

}  // namespace updraft::http
