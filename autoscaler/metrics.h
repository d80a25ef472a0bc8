// The autoscaler's metrics. Only its .cc knows prometheus-cpp.
#pragma once

#include <memory>
#include <string>

#include "autoscaler/kpa/revision_scaler.h"
#include "core/metrics/exposition.h"

namespace updraft::autoscaler {

// Loop thread only, but for the registry behind it.
class Metrics {
 public:
  // `exposition` must outlive it.
  explicit Metrics(metrics::Exposition& exposition);
  ~Metrics();

  // What is known and decided of a revision ("namespace/name") now.
  void Show(const std::string& revision, const Target& target, const Insight& insight, const Decision& decision);
  // The revision is gone, and so are its series.
  void Forget(const std::string& revision);
  void OnTick(Nanos took);

 private:
  struct Series;
  std::unique_ptr<Series> series_;
};

}  // namespace updraft::autoscaler
