// One running instance of a revision as all workers share it: an atomic word that counts the requests
// inside it and the slots for them, exactly. Lock-free; safe for concurrent use unless said otherwise.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "activator/stats/cold_start.h"
#include "core/base/clock.h"

namespace updraft::activator {

// Where an instance is, and how it came to be.
struct InstanceAddress {
  std::string id = {};
  std::string ip = {};
  uint16_t port = 0;
  ColdStartTimes cold_start = {};  // routed_ns is when this activator learned of it

  // "ip:port", "[ip]:port" for IPv6.
  std::string HostPort() const;
};

class Instance {
 public:
  // Without a limit, until SetLimit().
  explicit Instance(InstanceAddress address) : address_(std::move(address)), host_port_(address_.HostPort()) {}
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  const std::string& id() const { return address_.id; }
  const std::string& ip() const { return address_.ip; }
  uint16_t port() const { return address_.port; }
  const std::string& host_port() const { return host_port_; }
  const ColdStartTimes& cold_start() const { return address_.cold_start; }

  // Takes a slot if fewer requests than the limit are inside and it is neither closed nor ejected.
  bool TryTake();

  enum class AfterReturn { kOpen, kDrained };
  // Gives a slot back. kDrained: the instance is closed and this was its last request; exactly one
  // caller is told so, and nobody else touches the instance afterwards.
  AfterReturn Return();
  // The same, and there is a slot less. REQUIRES: limited.
  AfterReturn ReturnWithSlot();

  // ---- its slots: who may lower the limit does it for what is not in use. One thread, but for
  // ReturnWithSlot().

  bool limited() const { return (word_.load(std::memory_order_relaxed) & kLimited) != 0; }
  // 0 when there is none.
  uint32_t limit() const { return static_cast<uint32_t>(word_.load(std::memory_order_seq_cst) >> kLimitShift); }
  // Whatever it was. Requests inside stay, even if they are more.
  void SetLimit(uint32_t limit);
  // REQUIRES: limited.
  void AddSlots(uint32_t slots) { word_.fetch_add(uint64_t{slots} << kLimitShift, std::memory_order_seq_cst); }
  // Lowers the limit by what is idle, `most` at the most. Returns by how much.
  uint32_t GiveUpIdle(uint32_t most);

  // Whether a slot may pass from one request to the next without being given back.
  bool Open() const { return (word_.load(std::memory_order_seq_cst) & (kClosed | kEjected)) == 0; }
  bool closed() const { return (word_.load(std::memory_order_seq_cst) & kClosed) != 0; }
  uint32_t in_flight() const { return static_cast<uint32_t>(word_.load(std::memory_order_relaxed)); }

  // Takes no more requests: it drains, or is gone. True when nothing is inside; otherwise one
  // Return() says kDrained.
  bool Close();
  void Reopen();

  // Takes no more requests until Restore(). False: it was ejected already.
  bool Eject();
  void Restore();
  bool ejected() const { return (word_.load(std::memory_order_relaxed) & kEjected) != 0; }

  // Failures in a row, for the length of an ejection.
  uint32_t AddFailure() { return failures_.fetch_add(1, std::memory_order_relaxed) + 1; }
  void Succeeded() {
    if (failures_.load(std::memory_order_relaxed) != 0) failures_.store(0, std::memory_order_relaxed);
  }

  // True for the first caller: the one whose response ends the cold start.
  bool TakeFirstByte() {
    return !first_byte_.load(std::memory_order_relaxed) && !first_byte_.exchange(true, std::memory_order_relaxed);
  }

 private:
  static constexpr uint64_t kClosed = uint64_t{1} << 32;
  static constexpr uint64_t kEjected = uint64_t{1} << 33;
  static constexpr uint64_t kLimited = uint64_t{1} << 34;
  static constexpr uint32_t kLimitShift = 40;
  static constexpr uint64_t kSlot = uint64_t{1} << kLimitShift;

 public:
  static constexpr uint32_t kLimitMax = (uint32_t{1} << (64 - kLimitShift)) - 1;

 private:

  const InstanceAddress address_;
  const std::string host_port_;

  // Requests inside in the low half; flags above; the limit on top. The limit is never below the requests
  // inside, unless SetLimit() made it so.
  alignas(64) std::atomic<uint64_t> word_{0};
  std::atomic<uint32_t> failures_{0};
  std::atomic<bool> first_byte_{false};
};

}  // namespace updraft::activator
