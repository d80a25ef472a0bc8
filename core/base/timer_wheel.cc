#include "core/base/timer_wheel.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace updraft {
namespace {

constexpr int64_t kTickNanos = 1'000'000;
constexpr uint64_t kTicksAheadMax =
    (uint64_t{1} << 36) - 1;  // two years; what is later is looked at again then

}  // namespace

void Timer::Set(TimePoint when) {
  // TimePoint::min() and max() are ways to say "now" and "never".
  const int64_t ahead =
      when <= wheel_.start_ ? 0 : std::min((when - wheel_.start_).count(), INT64_MAX - kTickNanos);
  const auto tick = static_cast<uint64_t>((ahead + kTickNanos - 1) / kTickNanos);
  const uint64_t before = std::exchange(tick_, tick);
  if (armed()) {
    // Put off: it is moved when the turn of its old place comes, and most are put off again by then.
    if (tick >= before) return;
    wheel_.Remove(this);
  }
  wheel_.Place(this);
}

void Timer::Cancel() {
  if (armed()) wheel_.Remove(this);
}

// The wheel of a timer is the highest group of six bits in which its tick differs from the present
// one; so in each wheel only slots ahead of the present are occupied, and lower wheels come first.
void TimerWheel::Place(Timer* timer) {
  if (timer->tick_ <= tick_) {
    Append(kDueSlot, timer);
    return;
  }
  const uint64_t tick = std::min(timer->tick_, tick_ | kTicksAheadMax);
  if (tick == tick_) {  // the end of the last wheel, and further to go
    Append(kDueSlot, timer);
    return;
  }
  const auto level = static_cast<unsigned>(63 - std::countl_zero(tick ^ tick_)) / kBits;
  const auto slot = static_cast<unsigned>(tick >> (level * kBits)) % kSlots;
  occupied_[level] |= uint64_t{1} << slot;
  Append(static_cast<uint16_t>(level * kSlots + slot), timer);
}

void TimerWheel::Append(uint16_t slot, Timer* timer) {
  timer->slot_ = slot;
  timer->AppendTo(rings_[slot]);
}

void TimerWheel::Remove(Timer* timer) {
  timer->Unlink();
  const uint16_t slot = timer->slot_;
  if (slot == kDueSlot) return;
  if (!rings_[slot].linked()) occupied_[slot / kSlots] &= ~(uint64_t{1} << (slot % kSlots));
}

std::optional<uint64_t> TimerWheel::NextTick(unsigned* level) const {
  for (unsigned i = 0; i < kLevels; ++i) {
    if (occupied_[i] == 0) continue;
    const auto slot = static_cast<uint64_t>(std::countr_zero(occupied_[i]));
    const unsigned shift = i * kBits;
    *level = i;
    return (tick_ >> (shift + kBits) << (shift + kBits)) | slot << shift;
  }
  return std::nullopt;
}

std::optional<TimePoint> TimerWheel::Next() const {
  if (rings_[kDueSlot].linked()) return start_ + Nanos(static_cast<int64_t>(tick_) * kTickNanos);
  unsigned level = 0;
  const std::optional<uint64_t> tick = NextTick(&level);
  if (!tick) return std::nullopt;
  return start_ + Nanos(static_cast<int64_t>(*tick) * kTickNanos);
}

// Takes the ring over first: what its timers append comes later.
void TimerWheel::Fire(RingLink& ring) {
  RingLink firing;
  firing.TakeAll(ring);
  while (firing.linked()) {
    auto* timer = static_cast<Timer*>(firing.next);
    timer->Unlink();
    ++touched_;
    if (timer->tick_ <= tick_) {
      timer->OnTimer();
    } else {
      Place(timer);
    }
  }
}

void TimerWheel::Advance(TimePoint now) {
  const auto end = static_cast<uint64_t>(std::max<int64_t>((now - start_).count(), 0) / kTickNanos);
  Fire(rings_[kDueSlot]);
  unsigned level = 0;
  while (const std::optional<uint64_t> next = NextTick(&level)) {
    if (*next > end) break;
    tick_ = *next;
    const unsigned slot = static_cast<unsigned>(tick_ >> (level * kBits)) % kSlots;
    occupied_[level] &= ~(uint64_t{1} << slot);
    Fire(rings_[level * kSlots + slot]);
  }
  tick_ = std::max(tick_, end);
}

}  // namespace updraft
