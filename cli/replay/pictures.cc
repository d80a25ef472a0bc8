#include "cli/replay/pictures.h"

#include "cli/replay/svg.h"

namespace updraft::cli {
namespace {

template <typename Row, typename Value>
Curve CurveOf(const std::string& name, const std::vector<Row>& rows, Value value) {
  Curve curve{name, {}};
  curve.points.reserve(rows.size());
  for (const Row& row : rows) curve.points.emplace_back(row.at, static_cast<double>(value(row)));
  return curve;
}

}  // namespace

std::string DrawDecisions(const std::vector<DecisionPoint>& points) {
  Panel instances{.title = "Instances", .shade_name = "panic"};
  instances.curves = {CurveOf("desired", points, [](const auto& p) { return p.desired; }),
                      CurveOf("ready", points, [](const auto& p) { return p.ready; })};
  Panel load{.title = "Load"};
  load.curves = {CurveOf("stable", points, [](const auto& p) { return p.stable; }),
                 CurveOf("panic", points, [](const auto& p) { return p.panic; })};
  for (size_t i = 0; i < points.size(); ++i) {
    if (!points[i].panicking) continue;
    const double until = i + 1 < points.size() ? points[i + 1].at : points[i].at;
    if (!instances.shaded.empty() && instances.shaded.back().second == points[i].at) {
      instances.shaded.back().second = until;
    } else {
      instances.shaded.emplace_back(points[i].at, until);
    }
  }
  return DrawPanels("What the autoscaler would have decided", {instances, load});
}

std::string DrawRequests(const std::string& manifest, const std::vector<AccountRow>& rows) {
  Panel instances{.title = "Instances"};
  instances.curves = {CurveOf("desired", rows, [](const auto& r) { return r.desired; }),
                      CurveOf("ready", rows, [](const auto& r) { return r.ready; })};
  Panel requests{.title = "Requests"};
  requests.curves = {CurveOf("in flight", rows, [](const auto& r) { return r.in_flight; }),
                     CurveOf("waiting", rows, [](const auto& r) { return r.queue; })};
  Panel latency{.title = "Latency, seconds"};
  latency.curves = {CurveOf("p50", rows, [](const auto& r) { return r.latency.p50; }),
                    CurveOf("p99", rows, [](const auto& r) { return r.latency.p99; })};
  return DrawPanels("Replay of requests: " + manifest, {instances, requests, latency});
}

std::string DrawComparison(const std::vector<NamedSum>& sums) {
  BarGroup cold{.title = "Requests that found no instance"};
  BarGroup seconds{.title = "Instance-seconds"};
  BarGroup latency{.title = "99th percentile of latency, seconds"};
  for (const NamedSum& one : sums) {
    cold.bars.emplace_back(one.name, static_cast<double>(one.sum.cold_starts));
    seconds.bars.emplace_back(one.name, one.sum.instance_seconds);
    latency.bars.emplace_back(one.name, one.sum.latency.p99);
  }
  const std::string requests = sums.empty() ? "0" : std::to_string(sums.front().sum.requests);
  return DrawBars("The same " + requests + " requests by each manifest", {cold, seconds, latency});
}

}  // namespace updraft::cli
