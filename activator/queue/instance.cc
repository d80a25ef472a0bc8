#include "activator/queue/instance.h"

#include "core/base/check.h"

namespace updraft::activator {

std::string InstanceAddress::HostPort() const {
  const bool v6 = ip.find(':') != std::string::npos;
  return (v6 ? "[" + ip + "]" : ip) + ":" + std::to_string(port);
}

bool Instance::TryTake(uint32_t limit) {
  uint64_t word = word_.load(std::memory_order_seq_cst);
  do {
    if ((word & (kClosed | kEjected)) != 0) return false;
    if (limit != 0 && static_cast<uint32_t>(word) >= limit) return false;
  } while (!word_.compare_exchange_weak(word, word + 1, std::memory_order_seq_cst));
  return true;
}

Instance::AfterReturn Instance::Return() {
  const uint64_t before = word_.fetch_sub(1, std::memory_order_seq_cst);
  UPDRAFT_CHECK(static_cast<uint32_t>(before) != 0);
  const bool last = static_cast<uint32_t>(before) == 1 && (before & kClosed) != 0;
  return last ? AfterReturn::kDrained : AfterReturn::kOpen;
}

bool Instance::Close() {
  const uint64_t before = word_.fetch_or(kClosed, std::memory_order_seq_cst);
  return static_cast<uint32_t>(before) == 0;
}

void Instance::Reopen() { word_.fetch_and(~kClosed, std::memory_order_seq_cst); }

bool Instance::Eject() { return (word_.fetch_or(kEjected, std::memory_order_seq_cst) & kEjected) == 0; }

void Instance::Restore() { word_.fetch_and(~kEjected, std::memory_order_seq_cst); }

}  // namespace updraft::activator
