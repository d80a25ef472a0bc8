// A program's metrics and their page. prometheus-cpp counts, this shows.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <prometheus/registry.h>

#include "core/base/result.h"
#include "core/http/exchange.h"

namespace updraft::metrics {

// Safe for concurrent use. Has the process's own series (memory, cpu, descriptors, start time) and
// `updraft_build_info` from the start.
class Exposition {
 public:
  // `component`: the program's name, a label of updraft_build_info.
  explicit Exposition(std::string component);
  ~Exposition();

  prometheus::Registry& registry() { return *registry_; }

  // For figures that are gathered on demand instead of counted in the registry.
  void Register(std::weak_ptr<prometheus::Collectable> collectable);

  // The page, in Prometheus' text format 0.0.4.
  std::string Render() const;

 private:
  std::shared_ptr<prometheus::Registry> registry_;
  std::vector<std::weak_ptr<prometheus::Collectable>> collectables_;
  std::shared_ptr<prometheus::Collectable> process_;
};

// Serves /metrics, /healthz (200 while the loop turns) and /readyz (200, or 503 with the error that
// `ready` returns). `exposition` must outlive the handler.
http::Handler OperationsHandler(Exposition& exposition, std::function<Status()> ready);

}  // namespace updraft::metrics
