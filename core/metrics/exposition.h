// A program's metrics and their page. prometheus-cpp counts, this shows.
#pragma once

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>
#include <prometheus/registry.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/http/exchange.h"
#include "core/metrics/page_part.h"

namespace updraft::metrics {

// Has the process's own series (memory, CPU, descriptors, start time) and `updraft_build_info` from
// the start. The registry and Render() are safe for concurrent use.
class Exposition {
 public:
  // `component`: the program's name, a label of updraft_build_info.
  explicit Exposition(const std::string& component);
  Exposition(const Exposition&) = delete;
  Exposition& operator=(const Exposition&) = delete;

  prometheus::Registry& registry() { return *registry_; }

  // For figures that are gathered when asked for. Before the first Render(); not concurrently.
  void Add(std::shared_ptr<prometheus::Collectable> collectable) {
    collectables_.push_back(std::move(collectable));
  }

  // For series in numbers that grow with what is served. `begin` is called for each page, on the
  // loop that serves it. As Add().
  void AddPart(std::function<std::unique_ptr<PagePart>()> begin) {
    parts_.push_back(std::move(begin));
  }

  // The page, in Prometheus' text format 0.0.4: in one go; or without parts, and those.
  std::string Render() const;
  std::string RenderWithoutParts() const;
  bool has_parts() const { return !parts_.empty(); }
  std::vector<std::unique_ptr<PagePart>> BeginParts() const;

 private:
  std::shared_ptr<prometheus::Registry> registry_;
  std::vector<std::shared_ptr<prometheus::Collectable>> collectables_;
  std::vector<std::function<std::unique_ptr<PagePart>()>> parts_;
};

// Serves /metrics (compressed for those who accept gzip, if it has parts), /healthz (200 while the loop turns) and /readyz (200, or 503 with the error that
// `ready` returns; called on the server's loop). `exposition` must outlive the handler.
http::Handler OperationsHandler(Exposition& exposition, std::function<Status()> ready);

}  // namespace updraft::metrics
