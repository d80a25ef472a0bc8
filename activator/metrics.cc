#include "activator/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/metric_family.h>

#include <limits>
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

std::vector<ClientMetric::Label> LabelsOf(const RevisionSettings& settings) {
  return {{"configuration", settings.configuration},
          {"namespace", settings.namespace_name},
          {"revision", settings.name},
          {"service", settings.service}};
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

ClientMetric LatencyMetric(std::vector<ClientMetric::Label> labels, const ResponseTotals::Class& totals) {
  ClientMetric metric;
  metric.label = std::move(labels);
  uint64_t cumulative = 0;
  for (size_t i = 0; i < totals.buckets.size(); ++i) {
    cumulative += totals.buckets[i];
    const double bound = i < kLatencyBounds.size() ? kLatencyBounds[i] : std::numeric_limits<double>::infinity();
    metric.histogram.bucket.push_back({cumulative, bound});
  }
  metric.histogram.sample_count = cumulative;
  metric.histogram.sample_sum = totals.latency_sum;
  return metric;
}

// Per revision, straight from what the workers count.
class RevisionSeries {
 public:
  explicit RevisionSeries(const Clock& clock) : clock_(clock) {}

  void Add(const RevisionSettings& settings, const Revision& revision) {
    const LoadReading load = revision.ReadLoad(clock_);
    running_.metric.push_back(Gauged(LabelsOf(settings), load.running));
    waiting_.metric.push_back(Gauged(LabelsOf(settings), load.waiting));
    in_flight_.metric.push_back(Counted(LabelsOf(settings), load.request_time.ToSeconds()));
    arrivals_.metric.push_back(Counted(LabelsOf(settings), static_cast<double>(load.arrivals)));
    const ResponseTotals totals = revision.ReadResponses();
    for (size_t i = 0; i < totals.classes.size(); ++i) {
      if (totals.classes[i].count() == 0) continue;
      std::vector<ClientMetric::Label> labels = LabelsOf(settings);
      labels.push_back({"response_code_class", i == 0 ? "none" : std::to_string(i) + "xx"});
      latency_.metric.push_back(LatencyMetric(std::move(labels), totals.classes[i]));
    }
  }
  void MoveTo(std::vector<MetricFamily>& families) {
    for (MetricFamily* family : {&running_, &waiting_, &in_flight_, &arrivals_, &latency_}) {
      families.push_back(std::move(*family));
    }
  }

 private:
  const Clock& clock_;
  MetricFamily running_ = MakeFamily("requests_running", "Requests in instances now", MetricType::Gauge);
  MetricFamily waiting_ =
      MakeFamily("requests_waiting", "Requests held for want of an instance or a slot now", MetricType::Gauge);
  MetricFamily in_flight_ = MakeFamily(
      "request_seconds_in_flight_total",
      "Time integral of requests held or running: its rate is the average concurrency", MetricType::Counter);
  MetricFamily arrivals_ = MakeFamily("requests_total", "Requests that arrived", MetricType::Counter);
  MetricFamily latency_ =
      MakeFamily("request_duration_seconds",
                 "Time from a request's head to its response's end, by the class of its status; none: the client left",
                 MetricType::Histogram);
};

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
  Gathered(const Clock& clock, std::function<ActivatorFigures()> figures)
      : clock_(clock), figures_(std::move(figures)) {}
  void Stop() { figures_ = nullptr; }

  std::vector<MetricFamily> Collect() const override {
    std::vector<MetricFamily> families;
    if (!figures_) return families;
    const ActivatorFigures figures = figures_();
    RevisionSeries revisions(clock_);
    for (const auto& [settings, revision] : figures.revisions) revisions.Add(*settings, *revision);
    revisions.MoveTo(families);
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
  const Clock& clock_;
  std::function<ActivatorFigures()> figures_;
};

}  // namespace

struct Metrics::Series {
  std::map<std::string_view, prometheus::Histogram*> cold_start = {};  // by phase
  prometheus::Counter* demands = nullptr;
  prometheus::Counter* ejections = nullptr;
  std::shared_ptr<Gathered> gathered = {};
};

Metrics::Metrics(metrics::Exposition& exposition, const Clock& clock, std::function<ActivatorFigures()> figures)
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
  series_->gathered = std::make_shared<Gathered>(clock, std::move(figures));
  exposition.Add(series_->gathered);
}

Metrics::~Metrics() { series_->gathered->Stop(); }

void Metrics::OnColdStart(const ColdStartTimes& times) {
  for (const ColdStartPhase& phase : PhasesOf(times)) series_->cold_start.at(phase.name)->Observe(ToSeconds(phase.took));
  series_->cold_start.at(kTotalPhase)->Observe(ToSeconds(TotalOf(times)));
}

void Metrics::OnDemand() { series_->demands->Increment(); }

void Metrics::OnEjection() { series_->ejections->Increment(); }

}  // namespace updraft::activator
