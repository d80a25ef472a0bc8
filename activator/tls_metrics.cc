#include "activator/tls_metrics.h"

#include <prometheus/metric_family.h>

#include <memory>
#include <utility>

namespace updraft::activator {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

class OfTls final : public prometheus::Collectable {
 public:
  explicit OfTls(std::function<TlsFigures()> figures) : figures_(std::move(figures)) {}

  std::vector<MetricFamily> Collect() const override {
    const TlsFigures figures = figures_();
    std::vector<MetricFamily> families = {Handshakes(figures)};
    if (!figures.certificates.empty()) families.push_back(Certificates(figures));
    return families;
  }

 private:
  static MetricFamily Handshakes(const TlsFigures& figures) {
    MetricFamily family;
    family.name = "updraft_activator_tls_handshakes_total";
    family.help = "TLS handshakes, by the version agreed on and what became of them";
    family.type = MetricType::Counter;
    const auto add = [&](const char* version, const char* result, auto count_of) {
      ClientMetric& metric = family.metric.emplace_back();
      metric.label = {{"result", result}, {"version", version}};
      for (const http::TlsCounters* counters : figures.handshakes)
        metric.counter.value += static_cast<double>(count_of(*counters).load(std::memory_order_relaxed));
    };
    using Counters = const http::TlsCounters&;
    add("1.2", "full", [](Counters of) -> auto& { return of.tls12.full; });
    add("1.2", "resumed", [](Counters of) -> auto& { return of.tls12.resumed; });
    add("1.3", "full", [](Counters of) -> auto& { return of.tls13.full; });
    add("1.3", "resumed", [](Counters of) -> auto& { return of.tls13.resumed; });
    add("none", "refused", [](Counters of) -> auto& { return of.refused; });
    add("none", "abandoned", [](Counters of) -> auto& { return of.abandoned; });
    return family;
  }

  static MetricFamily Certificates(const TlsFigures& figures) {
    MetricFamily family;
    family.name = "updraft_activator_tls_certificate_not_after_seconds";
    family.help = "When a certificate ends that is served, in seconds since the epoch";
    family.type = MetricType::Gauge;
    for (const ServedCertificate& certificate : figures.certificates) {
      ClientMetric& metric = family.metric.emplace_back();
      metric.label = {{"name", certificate.name}, {"source", certificate.source}};
      metric.gauge.value = static_cast<double>(certificate.not_after);
    }
    return family;
  }

  const std::function<TlsFigures()> figures_;
};

}  // namespace

void ShowTls(metrics::Exposition& exposition, std::function<TlsFigures()> figures) {
  exposition.Add(std::make_shared<OfTls>(std::move(figures)));
}

}  // namespace updraft::activator
