#include "activator/queue/instance.h"

#include <algorithm>

#include "core/base/check.h"

namespace updraft::activator {

std::string InstanceAddress::HostPort() const {
  const bool v6 = ip.find(':') != std::string::npos;
  return (v6 ? "[" + ip + "]" : ip) + ":" + std::to_string(port);
}

bool Instance::TryTake() {
  uint64_t word = word_.load(std::memory_order_seq_cst);
  do {
    if ((word & (kClosed | kEjected)) != 0) return false;
    if ((word & kLimited) != 0 && static_cast<uint32_t>(word) >= word >> kLimitShift) return false;
  } while (!word_.compare_exchange_weak(word, word + 1, std::memory_order_seq_cst));
  return true;
}

Instance::AfterReturn Instance::Return() {
  const uint64_t before = word_.fetch_sub(1, std::memory_order_seq_cst);
  UPDRAFT_CHECK(static_cast<uint32_t>(before) != 0);
  const bool last = static_cast<uint32_t>(before) == 1 && (before & kClosed) != 0;
  return last ? AfterReturn::kDrained : AfterReturn::kOpen;
}

Instance::AfterReturn Instance::ReturnWithSlot() {
  uint64_t word = word_.load(std::memory_order_seq_cst);
  uint64_t after = 0;
  do {
    UPDRAFT_CHECK(static_cast<uint32_t>(word) != 0);
    const bool has_slot = word >> kLimitShift != 0;  // always, but for what SetLimit() may do
    after = word - 1 - (has_slot ? kSlot : 0);
  } while (!word_.compare_exchange_weak(word, after, std::memory_order_seq_cst));
  const bool last = static_cast<uint32_t>(word) == 1 && (word & kClosed) != 0;
  return last ? AfterReturn::kDrained : AfterReturn::kOpen;
}

void Instance::SetLimit(uint32_t limit) {
  constexpr uint64_t kRest = kSlot - 1;
  const uint64_t bits = kLimited | (uint64_t{std::min(limit, kLimitMax)} << kLimitShift);
  uint64_t word = word_.load(std::memory_order_seq_cst);
  while (!word_.compare_exchange_weak(word, (word & kRest) | bits, std::memory_order_seq_cst)) {
  }
}

uint32_t Instance::GiveUpIdle(uint32_t most) {
  uint64_t word = word_.load(std::memory_order_seq_cst);
  uint64_t given = 0;
  do {
    const uint64_t limit = word >> kLimitShift;
    const uint64_t inside = static_cast<uint32_t>(word);
    given = limit > inside ? std::min<uint64_t>(limit - inside, most) : 0;
    if (given == 0) return 0;
  } while (!word_.compare_exchange_weak(word, word - given * kSlot, std::memory_order_seq_cst));
  return static_cast<uint32_t>(given);
}

bool Instance::Close() {
  const uint64_t before = word_.fetch_or(kClosed, std::memory_order_seq_cst);
  return static_cast<uint32_t>(before) == 0;
}

void Instance::Reopen() { word_.fetch_and(~kClosed, std::memory_order_seq_cst); }

bool Instance::Eject() { return (word_.fetch_or(kEjected, std::memory_order_seq_cst) & kEjected) == 0; }

void Instance::Restore() { word_.fetch_and(~kEjected, std::memory_order_seq_cst); }

}  // namespace updraft::activator
