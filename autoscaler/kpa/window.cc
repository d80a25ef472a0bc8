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
  if (second != last_second_) {
    if (last_second_ && second + count() <= *last_second_) return;  // older than the window
    first_second_ = std::min(first_second_.value_or(second), second);
    if (!last_second_ || second - *last_second_ >= count()) {
      std::ranges::fill(buckets_, 0);
      total_ = 0;
      first_second_ = second;
    } else {
      for (int64_t s = *last_second_ + 1; s <= second; ++s) {
        total_ -= At(s);
        At(s) = 0;
      }
    }
    last_second_ = std::max(last_second_.value_or(second), second);
  }
  At(second) += value;
  total_ += value;
}

double Window::Average(TimePoint now) const {
  if (!last_second_) return 0;
  return averaging_ == Averaging::kLinear ? Linear(SecondOf(now)) : Weighted(SecondOf(now));
}

double Window::Linear(int64_t second) const {
  const int64_t last = *last_second_;
  const int64_t silent = std::max<int64_t>(0, second - last);
  if (silent >= count()) return 0;
  double total = total_;
  for (int64_t s = last + 1; s <= last + silent; ++s) total -= At(s);
  const int64_t whole = last - count() + 1;
  const int64_t lived = std::min(last - first_second_.value_or(whole) + 1, count() - silent);
  return std::round(total / static_cast<double>(lived) * kLinearPrecision) / kLinearPrecision;
}

double Window::Weighted(int64_t second) const {
  const int64_t last = *last_second_;
  const int64_t silent = std::max<int64_t>(0, second - last);
  if (silent > count()) return 0;
  const double coefficient = std::max(1 - std::pow(1 - kWeightCovered, 1 / static_cast<double>(count())),
                                      kSmoothingCoefficientMin);
  double weight = coefficient * std::pow(1 - coefficient, static_cast<double>(silent));
  double average = 0;
  for (int64_t i = 0; i < count() - silent; ++i) {
    average += At(last - i) * weight;
    weight *= 1 - coefficient;
  }
  return average;
}

bool Window::IsEmpty(TimePoint now) const { return !last_second_ || SecondOf(now) - *last_second_ > count(); }

void Window::Resize(Nanos length, TimePoint now) {
  const size_t wanted = CountOf(length);
  if (wanted == buckets_.size()) return;
  Window resized(length, averaging_);
  resized.last_second_ = last_second_;
  if (!IsEmpty(now)) {
    const int64_t last = *last_second_;
    const int64_t kept = std::min(count(), resized.count());
    // From the newest back, as Knative adds them up: equal to the last bit.
    for (int64_t s = last; s > last - kept; --s) {
      const double value = At(s);
      resized.At(s) = value;
      resized.total_ += value;
    }
    resized.first_second_ = last - count() + 1;
  }
  *this = std::move(resized);
}

DelayWindow::DelayWindow(Nanos delay)
    : count_((std::chrono::ceil<Seconds>(delay).count() + kDelaySlotSeconds - 1) / kDelaySlotSeconds) {}

void DelayWindow::Record(TimePoint now, int value) {
  const int64_t index = SecondOf(now) / kDelaySlotSeconds;
  while (!slots_.empty() && slots_.front().index <= index - count_) slots_.pop_front();
  // What is not larger and older can never be the largest again.
  while (!slots_.empty() && slots_.back().value <= value) slots_.pop_back();
  if (slots_.empty() || slots_.back().index != index) slots_.push_back({index, value});
}

int DelayWindow::Maximum(TimePoint now) const {
  const int64_t index = SecondOf(now) / kDelaySlotSeconds;
  const auto recent = std::ranges::find_if(slots_, [&](const Slot& slot) { return slot.index > index - count_; });
  return recent == slots_.end() ? 0 : recent->value;
}

}  // namespace updraft::autoscaler
