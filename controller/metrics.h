// The controller's metrics. Only its .cc knows prometheus-cpp.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "controller/instances/fleet_loop.h"
#include "core/metrics/exposition.h"

namespace updraft::controller {

// What others count and the page shows: asked for on the loop, each time the page is fetched.
struct ControllerFigures {
  uint64_t reconciles = 0;
  uint64_t reconcile_conflicts = 0;
  uint64_t reconcile_failures = 0;
  size_t reconciles_waiting = 0;
  size_t reconciles_running = 0;
  size_t activators = 0;
  bool autoscaler_connected = false;
};

// updraft_controller_leader. Before the page is first shown.
void ShowLeads(metrics::Exposition& exposition, bool leads);

// Loop thread only.
class Metrics : public FleetFollower {
 public:
  // Both must outlive it. `figures` is called when the page is fetched.
  Metrics(metrics::Exposition& exposition, const FleetLoop& fleet_loop,
          std::function<ControllerFigures()> figures);
  ~Metrics();

  // An answered API request. `verb`: get, list, watch, create, update, patch, delete, other.
  void OnApiRequest(const std::string& verb, int code, Nanos took);

  void OnFleetChanges(const Fleet& fleet, const FleetChanges& changes, Moment at) override;

 private:
  class Gathered;
  struct Series;
  const std::unique_ptr<Series> series_;
  const std::shared_ptr<Gathered> gathered_;
};

}  // namespace updraft::controller
