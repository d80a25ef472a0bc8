#include "controller/metrics.h"

#include <prometheus/collectable.h>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>

#include <array>
#include <map>
#include <utility>
#include <vector>

namespace updraft::controller {
namespace {

using prometheus::ClientMetric;
using prometheus::Counter;
using prometheus::Family;
using prometheus::Histogram;
using prometheus::MetricFamily;
using prometheus::MetricType;

const Histogram::BucketBoundaries kStartSeconds = {
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300};
const Histogram::BucketBoundaries kApiSeconds = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                                 0.05,   0.1,   0.5,    1,     5};

// The phases of a cold start, each from the end of the one before it.
struct Phase {
  const char* name;
  int64_t (v1::ColdStart::*end)() const;
};
constexpr std::array<Phase, 6> kPhases = {{{"decided", &v1::ColdStart::decided_ns},
                                           {"placed", &v1::ColdStart::placed_ns},
                                           {"claimed", &v1::ColdStart::claimed_ns},
                                           {"started", &v1::ColdStart::started_ns},
                                           {"listening", &v1::ColdStart::listening_ns},
                                           {"ready", &v1::ColdStart::ready_ns}}};

const char* NameOf(v1::InstancePhase phase) {
  switch (phase) {
    case v1::INSTANCE_STARTING:
      return "starting";
    case v1::INSTANCE_READY:
      return "ready";
    case v1::INSTANCE_UNREADY:
      return "unready";
    case v1::INSTANCE_STOPPING:
      return "stopping";
    case v1::INSTANCE_FAILED:
      return "failed";
    case v1::INSTANCE_BACKOFF:
      return "backoff";
    default:
      return "pending";
  }
}

const char* NameOf(NodeHealth health) {
  if (health == NodeHealth::kConnected) return "connected";
  return health == NodeHealth::kInterrupted ? "interrupted" : "silent";
}

double Number(auto value) { return static_cast<double>(value); }

MetricFamily GaugeFamily(const char* name, const char* help) {
  return {.name = name, .help = help, .type = MetricType::Gauge, .metric = {}};
}

void Add(MetricFamily& family, double value, std::vector<ClientMetric::Label> labels = {}) {
  ClientMetric metric;
  metric.label = std::move(labels);
  if (family.type == MetricType::Counter) metric.counter.value = value;
  if (family.type == MetricType::Gauge) metric.gauge.value = value;
  family.metric.push_back(std::move(metric));
}

}  // namespace

// Figures that are looked up rather than counted.
class Metrics::Gathered : public prometheus::Collectable {
 public:
  Gathered(const FleetLoop& fleet_loop, std::function<ControllerFigures()> figures)
      : fleet_loop_(fleet_loop), figures_(std::move(figures)) {}

  std::vector<MetricFamily> Collect() const override {
    std::vector<MetricFamily> families = {Instances(), Nodes()};
    const ControllerFigures figures = figures_();
    MetricFamily reconciles{
        .name = "updraft_controller_reconciles_total",
        .help = "Looks at an object, by how carrying out what was planned ended",
        .type = MetricType::Counter,
        .metric = {}};
    const uint64_t bad = figures.reconcile_conflicts + figures.reconcile_failures;
    Add(reconciles, Number(figures.reconciles - std::min(figures.reconciles, bad)),
        {{"result", "ok"}});
    Add(reconciles, Number(figures.reconcile_conflicts), {{"result", "conflict"}});
    Add(reconciles, Number(figures.reconcile_failures), {{"result", "failure"}});
    families.push_back(std::move(reconciles));
    const auto gauge = [&families](const char* name, const char* help, double value) {
      families.push_back(GaugeFamily(name, help));
      Add(families.back(), value);
    };
    gauge("updraft_controller_reconcile_queue_length", "Objects that wait to be looked at",
          Number(figures.reconciles_waiting));
    gauge("updraft_controller_reconciles_running", "Plans that are being carried out",
          Number(figures.reconciles_running));
    gauge("updraft_controller_activators", "Activators that are connected",
          Number(figures.activators));
    gauge("updraft_controller_autoscaler_connected", "1 while the autoscaler is connected",
          figures.autoscaler_connected ? 1 : 0);
    gauge("updraft_controller_revisions", "Revisions that are known, those being removed included",
          Number(fleet_loop_.fleet().revisions().size()));
    gauge("updraft_controller_instances_known",
          "0 while a restarted controller waits for its nodes",
          fleet_loop_.fleet().known(fleet_loop_.Now().now) ? 1 : 0);
    return families;
  }

 private:
  MetricFamily Instances() const {
    std::map<std::string, int> counts;
    for (const auto phase :
         {v1::INSTANCE_PENDING, v1::INSTANCE_STARTING, v1::INSTANCE_READY, v1::INSTANCE_UNREADY,
          v1::INSTANCE_STOPPING, v1::INSTANCE_FAILED, v1::INSTANCE_BACKOFF}) {
      counts[NameOf(phase)] = 0;
    }
    for (const auto& [id, instance] : fleet_loop_.fleet().instances().all())
      ++counts[NameOf(instance.phase)];
    MetricFamily family = GaugeFamily("updraft_controller_instances", "Instances by phase");
    for (const auto& [phase, count] : counts) Add(family, Number(count), {{"phase", phase}});
    return family;
  }
  MetricFamily Nodes() const {
    std::map<std::string, int> counts = {{"connected", 0}, {"interrupted", 0}, {"silent", 0}};
    for (const auto& [name, node] : fleet_loop_.fleet().nodes()) ++counts[NameOf(node.health)];
    MetricFamily family = GaugeFamily("updraft_controller_nodes",
                                      "Machines by the state of their node-agent's stream");
    for (const auto& [health, count] : counts) Add(family, Number(count), {{"health", health}});
    return family;
  }

  const FleetLoop& fleet_loop_;
  const std::function<ControllerFigures()> figures_;
};

struct Metrics::Series {
  Family<Histogram>* start_seconds = nullptr;
  Family<Counter>* orders = nullptr;
  Family<Counter>* api_requests = nullptr;
  Family<Histogram>* api_seconds = nullptr;
};

Metrics::Metrics(metrics::Exposition& exposition, const FleetLoop& fleet_loop,
                 std::function<ControllerFigures()> figures)
    : series_(std::make_unique<Series>()),
      gathered_(std::make_shared<Gathered>(fleet_loop, std::move(figures))) {
  prometheus::Registry& registry = exposition.registry();
  series_->start_seconds =
      &prometheus::BuildHistogram()
           .Name("updraft_controller_instance_start_seconds")
           .Help("How long each phase of an instance's start took, up to readiness")
           .Register(registry);
  series_->orders = &prometheus::BuildCounter()
                         .Name("updraft_controller_orders_total")
                         .Help("Orders sent to node-agents, by kind")
                         .Register(registry);
  series_->api_requests = &prometheus::BuildCounter()
                               .Name("updraft_controller_api_requests_total")
                               .Help("API requests that were answered, by verb and status code")
                               .Register(registry);
  series_->api_seconds = &prometheus::BuildHistogram()
                              .Name("updraft_controller_api_request_seconds")
                              .Help("How long API requests took to be answered, watches left out")
                              .Register(registry);
  for (const Phase& phase : kPhases)
    series_->start_seconds->Add({{"phase", phase.name}}, kStartSeconds);
  for (const char* kind : {"start", "stop", "desired"}) series_->orders->Add({{"kind", kind}});
  exposition.Add(gathered_);
}

Metrics::~Metrics() = default;

void Metrics::OnApiRequest(const std::string& verb, int code, Nanos took) {
  series_->api_requests->Add({{"verb", verb}, {"code", std::to_string(code)}}).Increment();
  if (verb == "watch") return;
  series_->api_seconds->Add({{"verb", verb}}, kApiSeconds)
      .Observe(std::chrono::duration<double>(took).count());
}

void Metrics::OnFleetChanges(const Fleet&, const FleetChanges& changes, Moment) {
  for (const NodeOrder& order : changes.orders) {
    const char* kind = order.message.has_start()  ? "start"
                       : order.message.has_stop() ? "stop"
                                                  : "desired";
    series_->orders->Add({{"kind", kind}}).Increment();
  }
  for (const v1::ColdStart& start : changes.started) {
    int64_t before = start.queued_ns();
    for (const Phase& phase : kPhases) {
      const int64_t end = (start.*phase.end)();
      if (end == 0) continue;
      if (before != 0 && end >= before) {
        series_->start_seconds->Add({{"phase", phase.name}}, kStartSeconds)
            .Observe(Number(end - before) / 1e9);
      }
      before = end;
    }
  }
}

void ShowLeads(metrics::Exposition& exposition, bool leads) {
  prometheus::BuildGauge()
      .Name("updraft_controller_leader")
      .Help("1: this controller does the work; 0: it stands by")
      .Register(exposition.registry())
      .Add({})
      .Set(leads ? 1 : 0);
}

}  // namespace updraft::controller
