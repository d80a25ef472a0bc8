// One buffer per thread that all connections read into, lent to one of them at a time. Loop thread
// only.
#pragma once

#include <cstddef>
#include <span>

namespace updraft::http {

inline constexpr size_t kScratchBytes = 64 << 10;

// Who holds bytes in the scratch buffer that he has not used yet.
class ScratchHolder {
 public:
  // Someone else needs the buffer: copy what is still of use.
  virtual void VacateScratch() = 0;

 protected:
  ~ScratchHolder();
};

// The thread's buffer for `holder`, empty. Its last holder, if another one, vacates it first.
std::span<char> TakeScratch(ScratchHolder* holder);

}  // namespace updraft::http
