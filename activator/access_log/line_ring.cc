#include "activator/access_log/line_ring.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "core/base/check.h"

namespace updraft::activator {

LineRing::LineRing(size_t bytes) : mask_(bytes - 1), bytes_(new char[bytes]) { UPDRAFT_CHECK(std::has_single_bit(bytes)); }

bool LineRing::Write(std::string_view line) {
  const uint64_t written = written_.load(std::memory_order_relaxed);
  const uint64_t used = written - consumed_.load(std::memory_order_acquire);
  if (line.size() > mask_ + 1 - used) return false;
  const size_t at = written & mask_;
  const size_t first = std::min(line.size(), mask_ + 1 - at);
  std::memcpy(bytes_.get() + at, line.data(), first);
  std::memcpy(bytes_.get(), line.data() + first, line.size() - first);
  // In one order with the flag by which the reader is woken.
  written_.store(written + line.size(), std::memory_order_seq_cst);
  return true;
}

std::array<std::string_view, 2> LineRing::Readable() const {
  const uint64_t consumed = consumed_.load(std::memory_order_relaxed);
  const auto size = static_cast<size_t>(written_.load(std::memory_order_seq_cst) - consumed);
  const size_t at = consumed & mask_;
  const size_t first = std::min(size, mask_ + 1 - at);
  return {std::string_view(bytes_.get() + at, first), std::string_view(bytes_.get(), size - first)};
}

void LineRing::Consume(size_t bytes) {
  consumed_.store(consumed_.load(std::memory_order_relaxed) + bytes, std::memory_order_release);
}

}  // namespace updraft::activator
