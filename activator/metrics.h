// The activator's metrics. Only its .cc knows prometheus-cpp.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "activator/access_log/access_log.h"
#include "activator/proxy/proxy_counters.h"
#include "activator/stats/cold_start.h"
#include "activator/stats/revision_page.h"
#include "core/base/clock.h"
#include "core/metrics/exposition.h"

namespace updraft::activator {

// What the page shows besides what is counted here. Filled in each time it is fetched, on the control
// loop.
struct ActivatorFigures {
  std::vector<const ProxyCounters*> proxies = {};  // of all workers
  size_t routed_hosts = 0;
  bool controller_connected = false;
  bool autoscaler_connected = false;
};

// Where the figures come from: asked for each page, on the control loop.
struct FigureSources {
  std::function<ActivatorFigures()> figures;
  // Revisions that are gone are no longer among them, and so are their series.
  RevisionSource revisions;
};

// The log's own series. Both must outlive the pages.
void ShowAccessLog(metrics::Exposition& exposition, const AccessLog& log);

// Control loop only.
class Metrics {
 public:
  // Both must outlive it. The page must not be rendered after it has gone.
  Metrics(metrics::Exposition& exposition, const Clock& clock, FigureSources sources);
  ~Metrics();

  void OnColdStart(const ColdStartTimes& times);
  void OnDemand();
  void OnEjection();
  // To be called now and then: nobody may ask for a page any more.
  void LetGoOfOldPages();

 private:
  struct Series;
  std::unique_ptr<Series> series_;
};

}  // namespace updraft::activator
