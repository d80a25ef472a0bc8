#include "autoscaler/floor/idle_histogram.h"

#include <algorithm>
#include <cmath>

namespace updraft::autoscaler {
namespace {

constexpr uint32_t kSamplesMax = 1000;
constexpr double kHead = 0.05;
constexpr double kTail = 0.99;
constexpr double kMargin = 0.1;
constexpr double kVariationMin = 2;
constexpr double kVariationByChance = 1.25;  // times what so few samples show that fall anywhere
constexpr double kBeyondMax = 0.5;  // share of samples out of range

Nanos Scaled(Nanos span, double factor) {
  return Nanos(static_cast<int64_t>(static_cast<double>(span.count()) * factor));
}

}  // namespace

void IdleHistogram::Record(Nanos idle) {
  const auto bin = static_cast<size_t>(std::max(Nanos(0), idle) / kBin);
  if (bin < kBins) {
    ++bins_[bin];
    ++inside_;
  } else {
    ++beyond_;
  }
  if (samples() >= kSamplesMax) Halve();
}

void IdleHistogram::Halve() {
  inside_ = 0;
  for (uint16_t& bin : bins_) {
    bin = static_cast<uint16_t>((bin + 1) / 2);
    inside_ += bin;
  }
  beyond_ /= 2;
}

size_t IdleHistogram::BinOf(uint32_t rank) const {
  uint32_t seen = 0;
  for (size_t bin = 0; bin < kBins; ++bin) {
    seen += bins_[bin];
    if (seen > rank) return bin;
  }
  return kBins - 1;
}

bool IdleHistogram::Representative() const {
  if (inside_ < kSamplesMin) return false;
  if (static_cast<double>(beyond_) > kBeyondMax * static_cast<double>(samples())) return false;
  const double mean = static_cast<double>(inside_) / static_cast<double>(kBins);
  double squares = 0;
  for (const uint16_t bin : bins_) squares += (bin - mean) * (bin - mean);
  const double variation = std::sqrt(squares / static_cast<double>(kBins)) / mean;
  const double by_chance = std::sqrt(static_cast<double>(kBins) / static_cast<double>(inside_));
  return variation >= std::max(kVariationMin, kVariationByChance * by_chance);
}

std::optional<IdleHistogram::Prediction> IdleHistogram::Predict() const {
  if (!Representative()) return std::nullopt;
  const auto rank = [this](double fraction) {
    return static_cast<uint32_t>(std::min(fraction * static_cast<double>(inside_), static_cast<double>(inside_ - 1)));
  };
  const Nanos head = kBin * static_cast<int64_t>(BinOf(rank(kHead)));
  const Nanos tail = kBin * static_cast<int64_t>(BinOf(rank(kTail)) + 1);
  return Prediction{.from = Scaled(head, 1 - kMargin), .until = Scaled(tail, 1 + kMargin)};
}

}  // namespace updraft::autoscaler
