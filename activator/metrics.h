// The activator's metrics. Only its .cc knows prometheus-cpp.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "activator/proxy/proxy_counters.h"
#include "activator/queue/revision.h"
#include "activator/stats/cold_start.h"
#include "core/base/clock.h"
#include "core/metrics/exposition.h"

namespace updraft::activator {

// What the page shows besides what is counted here. Filled in each time it is fetched, on the control
// loop; revisions that are gone are no longer in it, and so are their series.
struct ActivatorFigures {
  struct OfRevision {
    const RevisionSettings* settings = nullptr;
    const Revision* revision = nullptr;
  };
  std::vector<OfRevision> revisions = {};
  std::vector<const ProxyCounters*> proxies = {};  // of all workers
  size_t routed_hosts = 0;
  bool controller_connected = false;
  bool autoscaler_connected = false;
};

// Control loop only.
class Metrics {
 public:
  // Both must outlive it. The page must not be rendered after it has gone.
  Metrics(metrics::Exposition& exposition, const Clock& clock, std::function<ActivatorFigures()> figures);
  ~Metrics();

  void OnColdStart(const ColdStartTimes& times);
  void OnDemand();
  void OnEjection();

 private:
  struct Series;
  std::unique_ptr<Series> series_;
};

}  // namespace updraft::activator
