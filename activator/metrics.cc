#include "activator/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/metric_family.h>

#include <map>
#include <string>
#include <utility>

namespace updraft::activator {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

constexpr std::string_view kTotalPhase = "total";

double ToSeconds(Nanos span) { return std::chrono::duration<double>(span).count(); }

MetricFamily MakeFamily(const std::string& name, const std::string& help, MetricType type) {
  MetricFamily family;
  family.name = "updraft_activator_" + name;
  family.help = help;
  family.type = type;
  return family;
}

ClientMetric Counted(std::vector<ClientMetric::Label> labels, double value) {
  ClientMetric metric;
  metric.label = std::move(labels);
  metric.counter.value = value;
  return metric;
}

ClientMetric Gauged(std::vector<ClientMetric::Label> labels, double value) {
  ClientMetric metric;
  metric.label = std::move(labels);
  metric.gauge.value = value;
  return metric;
}

struct ProxyColumn {
  const char* name;
  const char* help;
  EventCount ProxyCounters::*count;
};

constexpr ProxyColumn kProxyColumns[] = {
    {"unrouted_requests_total", "Requests for hosts without a route", &ProxyCounters::unrouted},
    {"upstream_connects_total", "Connections opened to instances", &ProxyCounters::connects},
    {"upstream_connect_failures_total", "Connections to instances that failed", &ProxyCounters::connect_failures},
    {"repeated_requests_total", "Requests sent again because no instance had seen them", &ProxyCounters::repeats},
    {"client_aborts_total", "Clients that left before the end of their response", &ProxyCounters::client_aborts},
    {"request_timeouts_total", "Requests ended by a timeout of their revision", &ProxyCounters::timeouts},
};

class Gathered final : public prometheus::Collectable {
 public:
  explicit Gathered(std::function<ActivatorFigures()> figures) : figures_(std::move(figures)) {}
  void Stop() { figures_ = nullptr; }

  std::vector<MetricFamily> Collect() const override {
    std::vector<MetricFamily> families;
    if (!figures_) return families;
    const ActivatorFigures figures = figures_();
    for (const ProxyColumn& column : kProxyColumns) {
      uint64_t sum = 0;
      for (const ProxyCounters* counters : figures.proxies) sum += (counters->*column.count).value();
      MetricFamily& family = families.emplace_back(MakeFamily(column.name, column.help, MetricType::Counter));
      family.metric.push_back(Counted({}, static_cast<double>(sum)));
    }
    const auto gauge = [&families](const char* name, const char* help, double value) {
      families.emplace_back(MakeFamily(name, help, MetricType::Gauge)).metric.push_back(Gauged({}, value));
    };
    gauge("routed_hosts", "Hosts that have a route", static_cast<double>(figures.routed_hosts));
    gauge("controller_connected", "1 while the controller's stream is open", figures.controller_connected);
    gauge("autoscaler_connected", "1 while the autoscaler's stream is open", figures.autoscaler_connected);
    return families;
  }

 private:
  std::function<ActivatorFigures()> figures_;
};

class OfAccessLog final : public prometheus::Collectable {
 public:
  explicit OfAccessLog(const AccessLog& log) : log_(log) {}
  std::vector<MetricFamily> Collect() const override {
    std::vector<MetricFamily> families;
    const auto counter = [&families](const char* name, const char* help, uint64_t value) {
      families.emplace_back(MakeFamily(name, help, MetricType::Counter))
          .metric.push_back(Counted({}, static_cast<double>(value)));
    };
    counter("access_log_lines_total", "Requests that the access log has", log_.written());
    counter("access_log_dropped_lines_total", "Requests that it should have, but its file was too slow or full",
            log_.dropped());
    return families;
  }

 private:
  const AccessLog& log_;
};

}  // namespace

void ShowAccessLog(metrics::Exposition& exposition, const AccessLog& log) {
  exposition.Add(std::make_shared<OfAccessLog>(log));
}

struct Metrics::Series {
  std::map<std::string_view, prometheus::Histogram*> cold_start = {};  // by phase
  prometheus::Counter* demands = nullptr;
  prometheus::Counter* ejections = nullptr;
  std::shared_ptr<Gathered> gathered = {};
  std::shared_ptr<PageMemory> memory = {};
};

Metrics::Metrics(metrics::Exposition& exposition, const Clock& clock, FigureSources sources)
    : series_(std::make_unique<Series>()) {
  prometheus::Registry& registry = exposition.registry();
  const prometheus::Histogram::BucketBoundaries bounds = {.0005, .001, .0025, .005, .01, .025, .05, .1, .25,
                                                          .5,    1,    2.5,   5,    10,  30,   60};
  auto& cold_start = prometheus::BuildHistogram()
                         .Name("updraft_cold_start_seconds")
                         .Help("How long each phase of a cold start took; the phase total is their sum")
                         .Register(registry);
  for (const std::string_view phase : kColdStartPhases) {
    series_->cold_start[phase] = &cold_start.Add({{"phase", std::string(phase)}}, bounds);
  }
  series_->cold_start[kTotalPhase] = &cold_start.Add({{"phase", std::string(kTotalPhase)}}, bounds);
  const auto counter = [&registry](const char* name, const char* help) {
    return &prometheus::BuildCounter().Name(name).Help(help).Register(registry).Add({});
  };
  series_->demands = counter("updraft_activator_demands_total", "Times that requests found no instance");
  series_->ejections =
      counter("updraft_activator_ejections_total", "Times that an instance was left alone because requests failed");
  series_->gathered = std::make_shared<Gathered>(std::move(sources.figures));
  exposition.Add(series_->gathered);
  series_->memory = std::make_shared<PageMemory>(clock);
  exposition.AddPart([&clock, revisions = std::move(sources.revisions), memory = series_->memory] {
    return std::make_unique<RevisionPage>(clock, revisions, memory);
  });
}

Metrics::~Metrics() { series_->gathered->Stop(); }

void Metrics::OnColdStart(const ColdStartTimes& times) {
  for (const ColdStartPhase& phase : PhasesOf(times)) series_->cold_start.at(phase.name)->Observe(ToSeconds(phase.took));
  series_->cold_start.at(kTotalPhase)->Observe(ToSeconds(TotalOf(times)));
}

void Metrics::LetGoOfOldPages() { series_->memory->LetGoOfOld(); }

void Metrics::OnDemand() { series_->demands->Increment(); }

void Metrics::OnEjection() { series_->ejections->Increment(); }

}  // namespace updraft::activator
