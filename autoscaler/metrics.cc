#include "autoscaler/metrics.h"

#include <prometheus/gauge.h>
#include <prometheus/histogram.h>

#include <unordered_map>
#include <vector>

namespace updraft::autoscaler {
namespace {

using prometheus::Family;
using prometheus::Gauge;

struct Column {
  Family<Gauge>* family = nullptr;
  double (*value)(const Target&, const Insight&, const Decision&) = nullptr;
};

Family<Gauge>& MakeFamily(prometheus::Registry& registry, const std::string& name, const std::string& help) {
  return prometheus::BuildGauge().Name("updraft_autoscaler_" + name).Help(help).Register(registry);
}

std::vector<Column> MakeColumns(prometheus::Registry& r) {
  return {
      {&MakeFamily(r, "desired_instances", "Instances that the revision should have"),
       [](const Target&, const Insight&, const Decision& d) { return static_cast<double>(d.desired.value_or(-1)); }},
      {&MakeFamily(r, "ready_instances", "Instances that take requests"),
       [](const Target& t, const Insight&, const Decision&) { return static_cast<double>(t.ready); }},
      {&MakeFamily(r, "pending_instances", "Instances that are being started"),
       [](const Target& t, const Insight&, const Decision&) { return static_cast<double>(t.starting); }},
      {&MakeFamily(r, "failed_instances", "Instances that crashed and wait for their next start"),
       [](const Target& t, const Insight&, const Decision&) { return static_cast<double>(t.failed); }},
      {&MakeFamily(r, "stable_load", "Average over the stable window: requests in flight, or per second"),
       [](const Target&, const Insight& i, const Decision&) { return i.stable; }},
      {&MakeFamily(r, "panic_load", "Average over the panic window: requests in flight, or per second"),
       [](const Target&, const Insight& i, const Decision&) { return i.panic; }},
      {&MakeFamily(r, "target_load", "Load per instance that is aimed at"),
       [](const Target&, const Insight& i, const Decision&) { return i.target; }},
      {&MakeFamily(r, "excess_burst_capacity", "Requests in flight that ready instances could take beyond the burst target"),
       [](const Target&, const Insight&, const Decision& d) { return d.excess_burst_capacity; }},
      {&MakeFamily(r, "panic_mode", "1 while the revision is in panic mode"),
       [](const Target&, const Insight&, const Decision& d) { return d.panic ? 1.0 : 0.0; }}};
}

}  // namespace

struct Metrics::Series {
  std::vector<Column> columns;
  std::unordered_map<std::string, std::vector<Gauge*>> by_revision;
  prometheus::Histogram* tick = nullptr;
};

Metrics::Metrics(metrics::Exposition& exposition) : series_(std::make_unique<Series>()) {
  prometheus::Registry& registry = exposition.registry();
  series_->columns = MakeColumns(registry);
  series_->tick = &prometheus::BuildHistogram()
                       .Name("updraft_autoscaler_tick_seconds")
                       .Help("Time that one round of decisions over all revisions took")
                       .Register(registry)
                       .Add({}, prometheus::Histogram::BucketBoundaries{0.0001, 0.001, 0.01, 0.1, 1});
}

Metrics::~Metrics() = default;

void Metrics::Show(const std::string& revision, const Target& target, const Insight& insight, const Decision& decision) {
  std::vector<Gauge*>& gauges = series_->by_revision[revision];
  if (gauges.empty()) {
    const size_t slash = revision.find('/');
    const prometheus::Labels labels = {{"namespace", revision.substr(0, slash)},
                                       {"revision", revision.substr(slash + 1)},
                                       {"configuration", target.configuration},
                                       {"service", target.service}};
    for (const Column& column : series_->columns) gauges.push_back(&column.family->Add(labels));
  }
  for (size_t i = 0; i < gauges.size(); ++i) gauges[i]->Set(series_->columns[i].value(target, insight, decision));
}

void Metrics::Forget(const std::string& revision) {
  const auto it = series_->by_revision.find(revision);
  if (it == series_->by_revision.end()) return;
  for (size_t i = 0; i < it->second.size(); ++i) series_->columns[i].family->Remove(it->second[i]);
  series_->by_revision.erase(it);
}

void Metrics::OnTick(Nanos took) { series_->tick->Observe(std::chrono::duration<double>(took).count()); }

}  // namespace updraft::autoscaler
