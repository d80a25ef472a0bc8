// How much memory the process holds, for tests of bounds.
#pragma once

#include <unistd.h>

#include <cstddef>
#include <fstream>

namespace updraft::activator {

inline size_t ResidentBytes() {
  size_t ignored = 0;
  size_t pages = 0;
  std::ifstream("/proc/self/statm") >> ignored >> pages;
  return pages * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

// Sanitizers keep what was freed.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kMemoryCounts = false;
#else
inline constexpr bool kMemoryCounts = true;
#endif

}  // namespace updraft::activator
