#include "autoscaler/kpa/window.h"

#include <algorithm>
#include <cmath>

namespace updraft::autoscaler {
namespace {

constexpr double kWeightCovered = 0.9999;       // of the whole weight lies inside the window
constexpr double kSmoothingCoefficientMin = 0.2;
constexpr double kLinearPrecision = 1e6;
constexpr int64_t kDelaySlotSeconds = 2;        // the autoscaler's tick

int64_t SecondOf(TimePoint t) { return std::chrono::floor<Seconds>(t).time_since_epoch().count(); }

size_t CountOf(Nanos length) {
  return static_cast<size_t>(std::max<int64_t>(1, std::chrono::ceil<Seconds>(length).count()));
}

}  // namespace

Window::Window(Nanos length, Averaging averaging) : averaging_(averaging), buckets_(CountOf(length)) {}

void Window::Record(TimePoint now, double value) {
  const int64_t second = SecondOf(now);
  if (!written_) {
    written_ = true;
    first_second_ = last_second_ = second;
  } else if (second != last_second_) {
    if (second + count() <= last_second_) return;  // older than the window
    first_second_ = std::min(first_second_, second);
    if (second - last_second_ >= count()) {
      std::ranges::fill(buckets_, 0);
      total_ = 0;
      first_second_ = second;
    } else {
      for (int64_t s = last_second_ + 1; s <= second; ++s) {
        total_ -= At(s);
        At(s) = 0;
      }
    }
    last_second_ = std::max(last_second_, second);
  }
  At(second) += value;
  total_ += value;
}

double Window::Average(TimePoint now) const {
  if (!written_) return 0;
  return averaging_ == Averaging::kLinear ? Linear(SecondOf(now)) : Weighted(SecondOf(now));
}

double Window::Linear(int64_t second) const {
  const int64_t silent = std::max<int64_t>(0, second - last_second_);
  if (silent >= count()) return 0;
  double total = total_;
  for (int64_t s = last_second_ + 1; s <= last_second_ + silent; ++s) total -= At(s);
  const int64_t lived = std::min(last_second_ - first_second_ + 1, count() - silent);
  return std::round(total / static_cast<double>(lived) * kLinearPrecision) / kLinearPrecision;
}

double Window::Weighted(int64_t second) const {
  const int64_t silent = std::max<int64_t>(0, second - last_second_);
  if (silent > count()) return 0;
  const double coefficient = std::max(1 - std::pow(1 - kWeightCovered, 1 / static_cast<double>(count())),
                                      kSmoothingCoefficientMin);
  double weight = coefficient * std::pow(1 - coefficient, static_cast<double>(silent));
  double average = 0;
  for (int64_t i = 0; i < count() - silent; ++i) {
    // last_second_ may be smaller than i near the clock's epoch: shift by whole rounds.
    average += At(last_second_ - i + count()) * weight;
    weight *= 1 - coefficient;
  }
  return average;
}

bool Window::IsEmpty(TimePoint now) const { return !written_ || SecondOf(now) - last_second_ > count(); }

void Window::Resize(Nanos length, TimePoint now) {
  const size_t wanted = CountOf(length);
  if (wanted == buckets_.size()) return;
  Window resized(length, averaging_);
  if (!IsEmpty(now)) {
    const int64_t kept = std::min(count(), resized.count());
    for (int64_t s = last_second_ - kept + 1; s <= last_second_; ++s) {
      // Near the clock's epoch seconds may be below 0: shift by whole rounds.
      const double value = At(s + count());
      resized.At(s + resized.count()) = value;
      resized.total_ += value;
    }
    resized.written_ = true;
    resized.last_second_ = last_second_;
    resized.first_second_ = last_second_ - count() + 1;
  }
  *this = std::move(resized);
}

DelayWindow::DelayWindow(Nanos delay)
    : slots_(static_cast<size_t>((std::chrono::ceil<Seconds>(delay).count() + kDelaySlotSeconds - 1) / kDelaySlotSeconds)) {}

void DelayWindow::Record(TimePoint now, int value) {
  const int64_t index = SecondOf(now) / kDelaySlotSeconds;
  Slot& slot = slots_[static_cast<size_t>(index) % slots_.size()];
  slot = slot.index == index ? Slot{index, std::max(slot.value, value)} : Slot{index, value};
}

int DelayWindow::Maximum(TimePoint now) const {
  const int64_t index = SecondOf(now) / kDelaySlotSeconds;
  int most = 0;
  for (const Slot& slot : slots_) {
    const bool recent = slot.index >= 0 && slot.index > index - static_cast<int64_t>(slots_.size());
    if (recent) most = std::max(most, slot.value);
  }
  return most;
}

}  // namespace updraft::autoscaler
