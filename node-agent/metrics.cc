#include "node-agent/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace updraft::node_agent {
namespace {

using prometheus::Counter;
using prometheus::Gauge;
using prometheus::Histogram;

double SecondsOf(Nanos duration) { return static_cast<double>(duration.count()) / 1e9; }

Counter& MakeCounter(prometheus::Registry& registry, const std::string& name, const std::string& help) {
  return prometheus::BuildCounter().Name("updraft_node_agent_" + name).Help(help).Register(registry).Add({});
}

Gauge& MakeGauge(prometheus::Registry& registry, const std::string& name, const std::string& help) {
  return prometheus::BuildGauge().Name("updraft_node_agent_" + name).Help(help).Register(registry).Add({});
}

const Histogram::BucketBoundaries kStartBuckets = {0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064,
                                                   0.128,  0.256, 0.512, 1,     2,     4,     8,     16, 32, 64};
const Histogram::BucketBoundaries kPullBuckets = {0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500};

const std::pair<v1::InstancePhase, const char*> kPhases[] = {
    {v1::INSTANCE_PENDING, "pending"}, {v1::INSTANCE_STARTING, "starting"}, {v1::INSTANCE_READY, "ready"},
    {v1::INSTANCE_UNREADY, "unready"}, {v1::INSTANCE_STOPPING, "stopping"}, {v1::INSTANCE_BACKOFF, "backoff"},
};

void RaiseTo(Counter& counter, uint64_t total) {
  const double missing = static_cast<double>(total) - counter.Value();
  if (missing > 0) counter.Increment(missing);
}

// Figures that are looked up when the page is fetched.
class Gathered final : public prometheus::Collectable {
 public:
  explicit Gathered(std::function<NodeFigures()> figures) : figures_(std::move(figures)) {
    auto& instances = prometheus::BuildGauge()
                          .Name("updraft_node_agent_instances")
                          .Help("Instances on this node by phase")
                          .Register(registry_);
    for (const auto& [phase, name] : kPhases) by_phase_[phase] = &instances.Add({{"phase", name}});
  }

  std::vector<prometheus::MetricFamily> Collect() const override {
    const NodeFigures figures = figures_();
    for (const auto& [phase, gauge] : by_phase_) {
      const auto it = figures.instances.find(phase);
      gauge->Set(it == figures.instances.end() ? 0 : it->second);
    }
    networks_ready_.Set(static_cast<double>(figures.networks_ready));
    creates_running_.Set(static_cast<double>(figures.creates_running));
    creates_waiting_.Set(static_cast<double>(figures.creates_waiting));
    RaiseTo(log_written_, figures.log_bytes_written);
    RaiseTo(log_dropped_, figures.log_bytes_dropped);
    runtime_connected_.Set(figures.runtime_connected ? 1 : 0);
    controller_connected_.Set(figures.controller_connected ? 1 : 0);
    return registry_.Collect();
  }

 private:
  const std::function<NodeFigures()> figures_;
  prometheus::Registry registry_;
  std::map<v1::InstancePhase, Gauge*> by_phase_;
  Gauge& networks_ready_ = MakeGauge(registry_, "networks_ready", "Network namespaces that wait to be claimed");
  Gauge& creates_running_ =
      MakeGauge(registry_, "creates_running", "Containers that are being created and started now");
  Gauge& creates_waiting_ =
      MakeGauge(registry_, "creates_waiting", "Containers that wait for their turn to be created");
  Counter& log_written_ = MakeCounter(registry_, "log_written_bytes_total", "Container output written to logs");
  Counter& log_dropped_ =
      MakeCounter(registry_, "log_dropped_bytes_total", "Container output that could not be written");
  Gauge& runtime_connected_ = MakeGauge(registry_, "containerd_connected", "1 while containerd can be reached");
  Gauge& controller_connected_ =
      MakeGauge(registry_, "controller_connected", "1 while the controller can be reached");
};

}  // namespace

struct Metrics::Counted {
  explicit Counted(prometheus::Registry& r)
      : starts(MakeCounter(r, "starts_total", "Instances that the controller asked for")),
        restarts(MakeCounter(r, "container_restarts_total", "Runs of containers after their first")),
        out_of_memory(MakeCounter(r, "out_of_memory_total", "Containers that the kernel killed for want of memory")),
        pull_seconds(prometheus::BuildHistogram()
                         .Name("updraft_node_agent_image_pull_seconds")
                         .Help("Time from the need of an image that was not at hand to its being unpacked")
                         .Register(r)
                         .Add({}, kPullBuckets)) {
    auto& start_seconds = prometheus::BuildHistogram()
                              .Name("updraft_node_agent_start_seconds")
                              .Help("Time that each phase of an instance's start took on this node")
                              .Register(r);
    for (const char* phase : {"claimed", "started", "listening", "ready"}) {
      by_start_phase[phase] = &start_seconds.Add({{"phase", phase}}, kStartBuckets);
    }
    auto& pulls = prometheus::BuildCounter()
                      .Name("updraft_node_agent_image_pulls_total")
                      .Help("Images that were needed and not at hand, by outcome")
                      .Register(r);
    pulled = &pulls.Add({{"outcome", "succeeded"}});
    pull_failed = &pulls.Add({{"outcome", "failed"}});
  }

  Counter& starts;
  Counter& restarts;
  Counter& out_of_memory;
  Histogram& pull_seconds;
  std::map<std::string, Histogram*> by_start_phase;
  Counter* pulled = nullptr;
  Counter* pull_failed = nullptr;
};

std::optional<StartPhases> PhasesOf(const v1::InstanceReport& report, WallTime accepted) {
  const v1::ColdStart& cold = report.cold_start();
  if (report.phase() != v1::INSTANCE_READY || cold.claimed_ns() == 0) return std::nullopt;
  StartPhases result;
  int64_t last = UnixNanos(accepted);
  for (const auto& [name, at] : {std::pair("claimed", cold.claimed_ns()), std::pair("started", cold.started_ns()),
                                 std::pair("listening", cold.listening_ns()), std::pair("ready", cold.ready_ns())}) {
    if (at == 0) continue;
    result.phases[name] = Nanos(std::max<int64_t>(0, at - last));
    last = std::max(last, at);
  }
  result.whole = Nanos(last - UnixNanos(accepted));
  return result;
}

Metrics::Metrics(metrics::Exposition& exposition, std::function<NodeFigures()> figures)
    : counted_(std::make_unique<Counted>(exposition.registry())) {
  exposition.Add(std::make_shared<Gathered>(std::move(figures)));
}

Metrics::~Metrics() = default;

void Metrics::OnAccepted(const std::string& instance_id, WallTime at) {
  if (!seen_.try_emplace(instance_id, Seen{.accepted = at}).second) return;
  counted_->starts.Increment();
}

std::optional<StartPhases> Metrics::OnReport(const v1::InstanceReport& report) {
  Seen& seen = seen_[report.instance_id()];
  for (const v1::ContainerReport& container : report.containers()) {
    const auto [restarts, first] = seen.restarts.try_emplace(container.name(), container.restart_count());
    // What an adopted one did before was counted by the agent before.
    const int before = first && seen.accepted ? 0 : restarts->second;
    if (container.restart_count() > before) counted_->restarts.Increment(container.restart_count() - before);
    restarts->second = container.restart_count();
    const v1::Termination& last = container.last_termination();
    int64_t& last_end = seen.last_end_ns[container.name()];
    if (last.finished_at_ns() != last_end && last.oom_killed()) counted_->out_of_memory.Increment();
    last_end = last.finished_at_ns();
  }
  std::optional<StartPhases> phases;
  if (report.phase() == v1::INSTANCE_READY && !std::exchange(seen.ready, true) && seen.accepted) {
    phases = PhasesOf(report, *seen.accepted);
  }
  if (phases) {
    for (const auto& [name, took] : phases->phases) counted_->by_start_phase.at(name)->Observe(SecondsOf(took));
  }
  if (report.phase() == v1::INSTANCE_STOPPED || report.phase() == v1::INSTANCE_FAILED) seen_.erase(report.instance_id());
  return phases;
}

void Metrics::OnImagePull(Pull outcome, Nanos took) {
  (outcome == Pull::kSucceeded ? counted_->pulled : counted_->pull_failed)->Increment();
  counted_->pull_seconds.Observe(SecondsOf(took));
}

}  // namespace updraft::node_agent
