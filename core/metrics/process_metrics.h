// What Linux knows about this process, under the names that Prometheus' client libraries agree on.
#pragma once

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <vector>

namespace updraft::metrics {

// Safe for concurrent use. What cannot be read is left out.
class ProcessMetrics final : public prometheus::Collectable {
 public:
  std::vector<prometheus::MetricFamily> Collect() const override;
};

}  // namespace updraft::metrics
