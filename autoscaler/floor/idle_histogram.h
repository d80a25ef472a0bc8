// How long a revision is idle between its requests, and from that when the next one is to be expected: the histogram
// policy of "Serverless in the Wild" (Shahrad et al., USENIX ATC 2020). Pure.
//
// Idle times fall into bins of a minute, up to four hours. An instance is of use from the 5th percentile on, when the
// first requests may come, until the 99th, when hardly any is still to come; a tenth of margin is added to both. There
// is no prediction while the histogram says too little: few samples, many of them beyond its range, or spread so
// evenly that no time is better than another: the coefficient of variation of the bins is below 2, or hardly above that
// of as few samples that fall anywhere, which is sqrt(bins / samples).
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "core/base/clock.h"

namespace updraft::autoscaler {

class IdleHistogram {
 public:
  static constexpr Nanos kBin = std::chrono::minutes(1);
  static constexpr size_t kBins = 240;
  static constexpr uint32_t kSamplesMin = 10;

  // An idle time has ended. From a thousand samples on the old ones are halved, so that habits may change.
  void Record(Nanos idle);

  // Since the beginning of an idle time.
  struct Prediction {
    Nanos from{0};
    Nanos until{0};
  };
  std::optional<Prediction> Predict() const;

  uint32_t samples() const { return inside_ + beyond_; }

 private:
  void Halve();
  // The bin in which the sample of that rank lies. REQUIRES: rank < inside_.
  size_t BinOf(uint32_t rank) const;
  bool Representative() const;

  std::array<uint16_t, kBins> bins_{};
  uint32_t inside_ = 0;
  uint32_t beyond_ = 0;  // four hours and more
};

}  // namespace updraft::autoscaler
