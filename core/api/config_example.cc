#include "core/api/config_example.h"

#include <array>
#include <cctype>
#include <cstdint>
#include <cstdio>
#include <map>
#include <set>

#include "core/api/constants.h"
#include "core/api/meta.h"

namespace updraft::api {
namespace {

constexpr DocumentedKey kKeys[] = {
    // config-autoscaler
    {"config-autoscaler", "container-concurrency-target-percentage", "70",
     "Part of an instance's concurrency that is aimed at, in percent."},
    {"config-autoscaler", "container-concurrency-target-default", "100",
     "Concurrency to aim at where a revision sets no limit."},
    {"config-autoscaler", "requests-per-second-target-default", "200",
     "Requests per second and instance to aim at, for the metric rps."},
    {"config-autoscaler", "target-burst-capacity", "211",
     "Requests of a burst that are to be held back; -1: no limit. Activators are always in the "
     "path: "
     "it counts in the autoscaler's figures alone."},
    {"config-autoscaler", "activator-capacity", "100.0",
     "Checked, without effect: activators are always in the path."},
    {"config-autoscaler", "stable-window", "60s", "Time that is averaged over."},
    {"config-autoscaler", "panic-window-percentage", "10.0",
     "The panic window as a part of the stable window, in percent."},
    {"config-autoscaler", "panic-threshold-percentage", "200.0",
     "Load beside capacity, in percent, from which on the short window counts."},
    {"config-autoscaler", "max-scale-up-rate", "1000.0", "Growth at most, by one decision."},
    {"config-autoscaler", "max-scale-down-rate", "2.0", "Shrinking at most, by one decision."},
    {"config-autoscaler", "enable-scale-to-zero", "true",
     "Whether revisions without requests may have no instance."},
    {"config-autoscaler", "scale-to-zero-grace-period", "30s",
     "Checked, without effect: activators are always in the path."},
    {"config-autoscaler", "scale-to-zero-pod-retention-period", "0s",
     "Time that the last instance stays at least."},
    {"config-autoscaler", "pod-autoscaler-class", "kpa.autoscaling.knative.dev",
     "Autoscaler of revisions that name none: kpa.autoscaling.knative.dev or "
     "hpa.autoscaling.knative.dev."},
    {"config-autoscaler", "initial-scale", "1", "Instances that a new revision begins with."},
    {"config-autoscaler", "allow-zero-initial-scale", "false",
     "Whether a new revision may begin with none."},
    {"config-autoscaler", "min-scale", "0", "Instances at least, where a revision does not say."},
    {"config-autoscaler", "max-scale", "0",
     "Instances at most, where a revision does not say; 0: no limit."},
    {"config-autoscaler", "max-scale-limit", "0",
     "The most that a revision may ask for as its max-scale; 0: no limit."},
    {"config-autoscaler", "scale-down-delay", "0s",
     "Time for which a lower load must last before instances go."},
    // config-defaults
    {"config-defaults", "revision-timeout-seconds", "300",
     "timeoutSeconds of revisions that set none."},
    {"config-defaults", "max-revision-timeout-seconds", "600",
     "The most that timeoutSeconds may be."},
    {"config-defaults", "revision-response-start-timeout-seconds", "300",
     "responseStartTimeoutSeconds of revisions that set none, if it is below their "
     "timeoutSeconds."},
    {"config-defaults", "revision-idle-timeout-seconds", "0",
     "idleTimeoutSeconds of revisions that set none, if it is below their timeoutSeconds; 0: "
     "none."},
    {"config-defaults", "revision-cpu-request", "", "CPU request of containers that set none."},
    {"config-defaults", "revision-memory-request", "",
     "Memory request of containers that set none."},
    {"config-defaults", "revision-ephemeral-storage-request", "",
     "Ephemeral storage request of containers that set none."},
    {"config-defaults", "revision-cpu-limit", "", "CPU limit of containers that set none."},
    {"config-defaults", "revision-memory-limit", "", "Memory limit of containers that set none."},
    {"config-defaults", "revision-ephemeral-storage-limit", "",
     "Ephemeral storage limit of containers that set none."},
    {"config-defaults", "container-name-template", "user-container",
     "Name of containers that have none: a Go template over the Service's metadata."},
    {"config-defaults", "init-container-name-template", "init-container",
     "The same for init containers."},
    {"config-defaults", "container-concurrency", "0",
     "containerConcurrency of revisions that set none; 0: no limit."},
    {"config-defaults", "container-concurrency-max-limit", "1000",
     "The most that containerConcurrency may be."},
    {"config-defaults", "allow-container-concurrency-zero", "true",
     "Whether containerConcurrency may be 0."},
    {"config-defaults", "enable-service-links", "false",
     "enableServiceLinks of new Services: true, false, or default for neither."},
    // config-deployment
    {"config-deployment", "queue-sidecar-image", "none",
     "Must be there, as Knative has it; without effect: there are no sidecars."},
    {"config-deployment", "registries-skipping-tag-resolving", "kind.local,ko.local,dev.local",
     "Registries whose tags stay tags."},
    {"config-deployment", "digest-resolution-timeout", "10s",
     "Time that the resolution of a tag to a digest may take."},
    {"config-deployment", "progress-deadline", "600s",
     "Time for a revision's first instances to become ready, where it does not say."},
    {"config-deployment", "pod-is-always-schedulable", "false",
     "Whether a revision that finds no room on any node goes on waiting instead of failing."},
    {"config-deployment", "queue-sidecar-cpu-request", "25m", "Checked, without effect."},
    {"config-deployment", "queue-sidecar-cpu-limit", "1000m", "Checked, without effect."},
    {"config-deployment", "queue-sidecar-memory-request", "400Mi", "Checked, without effect."},
    {"config-deployment", "queue-sidecar-memory-limit", "800Mi", "Checked, without effect."},
    {"config-deployment", "queue-sidecar-ephemeral-storage-request", "512Mi",
     "Checked, without effect."},
    {"config-deployment", "queue-sidecar-ephemeral-storage-limit", "1024Mi",
     "Checked, without effect."},
    {"config-deployment", "queue-sidecar-token-audiences", "", "Without effect."},
    {"config-deployment", "queue-sidecar-rootca", "", "Without effect."},
    {"config-deployment", "queue-sidecar-tls-min-version", "", "Without effect."},
    {"config-deployment", "queue-sidecar-tls-max-version", "", "Without effect."},
    {"config-deployment", "queue-sidecar-tls-cipher-suites", "", "Without effect."},
    {"config-deployment", "queue-sidecar-tls-curve-preferences", "", "Without effect."},
    {"config-deployment", "default-affinity-type", "prefer-spread-revision-over-nodes",
     "Checked, without effect: instances are always spread over nodes."},
    {"config-deployment", "runtime-class-name", "",
     "Checked, without effect: nodes have one runtime."},
    // config-domain
    {"config-domain", "<domain>", "",
     "Each key is a domain; its value a selector of the Routes that are below it, empty for all: "
     "see "
     "config-domain."},
    // config-features
    {"config-features", "multi-container", "enabled", "Several containers in a revision."},
    {"config-features", "multi-container-probing", "disabled",
     "Probes of the containers beside the serving one."},
    {"config-features", "secure-pod-defaults", "disabled",
     "Secure security contexts for containers that set none: enabled, allowrootbounded."},
    {"config-features", "kubernetes.podspec-init-containers", "disabled", "initContainers."},
    {"config-features", "kubernetes.podspec-securitycontext", "disabled",
     "securityContext of the whole instance; fsGroup and supplementalGroups are without effect."},
    {"config-features", "kubernetes.containerspec-addcapabilities", "disabled",
     "capabilities.add of a container's securityContext."},
    {"config-features", "kubernetes.podspec-fieldref", "disabled",
     "env valueFrom fieldRef and resourceFieldRef."},
    {"config-features", "kubernetes.podspec-volumes-emptydir", "enabled", "emptyDir volumes."},
    {"config-features", "kubernetes.podspec-volumes-hostpath", "disabled",
     "hostPath volumes: taken, but no instance is made with one."},
    {"config-features", "kubernetes.podspec-volumes-csi", "disabled",
     "csi volumes: taken, but no instance is made with one."},
    {"config-features", "kubernetes.podspec-volumes-ephemeral", "disabled",
     "ephemeral volumes: taken, but no instance is made with one."},
    {"config-features", "kubernetes.podspec-volumes-image", "disabled",
     "image volumes: taken, but no instance is made with one."},
    {"config-features", "kubernetes.podspec-volumes-mount-propagation", "disabled",
     "mountPropagation of volumeMounts: taken, without effect."},
    {"config-features", "kubernetes.podspec-persistent-volume-claim", "disabled",
     "persistentVolumeClaim volumes that are readOnly: a directory of each node's own."},
    {"config-features", "kubernetes.podspec-persistent-volume-write", "disabled",
     "Those that are written to."},
    {"config-features", "kubernetes.podspec-affinity", "disabled",
     "affinity: taken, without effect."},
    {"config-features", "kubernetes.podspec-topologyspreadconstraints", "disabled",
     "topologySpreadConstraints: taken, without effect."},
    {"config-features", "kubernetes.podspec-hostaliases", "disabled",
     "hostAliases: taken, without effect."},
    {"config-features", "kubernetes.podspec-nodeselector", "disabled",
     "nodeSelector: taken, without effect."},
    {"config-features", "kubernetes.podspec-tolerations", "disabled",
     "tolerations: taken, without effect."},
    {"config-features", "kubernetes.podspec-runtimeclassname", "disabled",
     "runtimeClassName: taken, without effect."},
    {"config-features", "kubernetes.podspec-dnspolicy", "disabled",
     "dnsPolicy: taken, without effect."},
    {"config-features", "kubernetes.podspec-dnsconfig", "disabled",
     "dnsConfig: taken, without effect."},
    {"config-features", "kubernetes.podspec-shareprocessnamespace", "disabled",
     "shareProcessNamespace: taken, without effect."},
    {"config-features", "kubernetes.podspec-hostipc", "disabled",
     "hostIPC: taken, without effect."},
    {"config-features", "kubernetes.podspec-hostpid", "disabled",
     "hostPID: taken, without effect."},
    {"config-features", "kubernetes.podspec-hostnetwork", "disabled",
     "hostNetwork: taken, without effect."},
    {"config-features", "kubernetes.podspec-priorityclassname", "disabled",
     "priorityClassName: taken, without effect."},
    {"config-features", "kubernetes.podspec-schedulername", "disabled",
     "schedulerName: taken, without effect."},
    {"config-features", "tag-header-based-routing", "disabled",
     "Without effect: tags are reached by their own hosts."},
    {"config-features", "autodetect-http2", "disabled",
     "Without effect: the port's name h2c says so."},
    {"config-features", "queueproxy.mount-podinfo", "disabled",
     "Without effect: there are no sidecars."},
    {"config-features", "queueproxy.resource-defaults", "disabled",
     "Without effect: there are no sidecars."},
    // config-gc
    {"config-gc", "retain-since-create-time", "48h",
     "Revisions without a route stay for so long from their creation; disabled: it does not "
     "count."},
    {"config-gc", "retain-since-last-active-time", "15h",
     "They stay for so long from when a route last referred to them; disabled: it does not count."},
    {"config-gc", "min-non-active-revisions", "20", "So many of them stay in any case."},
    {"config-gc", "max-non-active-revisions", "1000",
     "More than so many never stay; disabled: no limit."},
    // config-network
    {"config-network", "domain-template", "{{.Name}}.{{.Namespace}}.{{.Domain}}",
     "External host of a Route: a Go template that may use Labels and Annotations too."},
    {"config-network", "tag-template", "{{.Tag}}-{{.Name}}",
     "What a tag makes of the name: a Go template."},
    {"config-network", "rollout-duration", "0",
     "Seconds in which a new revision takes over, where a Service does not say; 0: at once."},
    {"config-network", "autocreate-cluster-domain-claims", "false",
     "Whether a DomainMapping makes its ClusterDomainClaim by itself. Set to true when the map is "
     "made."},
    {"config-network", "http-protocol", "enabled",
     "redirected: requests in clear text from outside are redirected to HTTPS; disabled: as "
     "enabled."},
    {"config-network", "default-external-scheme", "http", "Scheme of the URLs in a status."},
    {"config-network", "ingress-class", "istio.ingress.networking.knative.dev",
     "Without effect: activators are the ingress."},
    {"config-network", "certificate-class", "cert-manager.certificate.networking.knative.dev",
     "Without effect: certificates are brought by users."},
    {"config-network", "namespace-wildcard-cert-selector", "", "Checked, without effect."},
    {"config-network", "auto-tls", "disabled", "Without effect: see external-domain-tls."},
    {"config-network", "external-domain-tls", "disabled",
     "Without effect: certificates are brought by users."},
    {"config-network", "cluster-local-domain-tls", "disabled", "Checked, without effect."},
    {"config-network", "system-internal-tls", "disabled", "Checked, without effect."},
    {"config-network", "internal-encryption", "false", "Checked, without effect."},
    {"config-network", "enable-mesh-pod-addressability", "false", "Checked, without effect."},
    {"config-network", "mesh-compatibility-mode", "auto", "Without effect: there is no mesh."},
    // config-observability
    {"config-observability", "logging.enable-request-log", "false",
     "A line about each request, at the activators (flag --access-log: where)."},
    {"config-observability", "logging.request-log-template", "",
     "What it says: the fields stand in docs/operations.md. Without it: JSON."},
    {"config-observability", "logging.enable-probe-request-log", "false",
     "Checked, without effect: probes do not pass activators."},
    {"config-observability", "logging.revision-url-template", "",
     "logUrl in the status of revisions, with ${REVISION_UID}."},
    {"config-observability", "logging.enable-var-log-collection", "false",
     "Checked, without effect."},
    {"config-observability", "metrics-protocol", "none",
     "Checked, without effect: Prometheus metrics are always at /metrics."},
    {"config-observability", "metrics-endpoint", "", "Checked, without effect."},
    {"config-observability", "metrics-export-interval", "0s", "Checked, without effect."},
    {"config-observability", "request-metrics-protocol", "none", "Checked, without effect."},
    {"config-observability", "request-metrics-endpoint", "", "Checked, without effect."},
    {"config-observability", "request-metrics-export-interval", "0s", "Checked, without effect."},
    {"config-observability", "runtime-profiling", "disabled", "Checked, without effect."},
    {"config-observability", "runtime-export-interval", "15s", "Checked, without effect."},
    {"config-observability", "tracing-protocol", "none",
     "Checked, without effect: traceparent is passed on."},
    {"config-observability", "tracing-endpoint", "", "Checked, without effect."},
    {"config-observability", "tracing-sampling-rate", "0", "Checked, without effect."},
};

constexpr std::string_view kDomainExample = R"(# All Routes that no other key selects:
example.com: ""

# Routes with the label app=nonprofit:
example.org: |
  selector:
    app: nonprofit

# Routes with the label app=secret, which only the cluster may call:
svc.cluster.local: |
  selector:
    app: secret
)";

// CRC-32 as in IEEE 802.3.
uint32_t Crc32(std::string_view bytes) {
  uint32_t crc = 0xffffffff;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xedb88320 : 0);
  }
  return ~crc;
}

std::string ExampleOf(std::string_view map) {
  std::string text =
      "# Nothing in here has an effect. What is to be changed is copied to `data`, beside\n"
      "# `_example`. These are the defaults.\n\n";
  if (map == "config-domain") return text + std::string(kDomainExample);
  for (const DocumentedKey& known : kKeys) {
    if (known.map != map) continue;
    text.append("# ").append(known.help).append("\n");
    text.append(known.value.empty() ? "# " : "").append(known.key).append(": \"");
    text.append(known.value).append("\"\n\n");
  }
  text.pop_back();
  return text;
}

// What is more than an example from the beginning.
const std::map<std::string_view, std::map<std::string, std::string>>& FirstSettings() {
  static const std::map<std::string_view, std::map<std::string, std::string>> settings = {
      {"config-deployment", {{"queue-sidecar-image", "none"}}},
      {"config-network", {{"autocreate-cluster-domain-claims", "true"}}}};
  return settings;
}

}  // namespace

std::span<const DocumentedKey> DocumentedKeys() { return kKeys; }

std::string ExampleChecksum(std::string_view example) {
  const auto space = [](char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; };
  while (!example.empty() && space(example.front())) example.remove_prefix(1);
  while (!example.empty() && space(example.back())) example.remove_suffix(1);
  // Any number of line ends counts as the two characters \n: Knative's regular expression says so.
  std::string normal;
  for (size_t i = 0; i < example.size(); ++i) {
    const bool carriage = example[i] == '\r' && i + 1 < example.size() && example[i + 1] == '\n';
    if (!carriage && example[i] != '\n') {
      normal += example[i];
    } else if (carriage) {
      continue;
    } else if (!normal.ends_with('\n')) {
      normal += '\n';
    }
  }
  std::string hashed;
  for (const char c : normal) hashed += c == '\n' ? std::string("\\n") : std::string(1, c);
  std::array<char, 9> hex{};
  std::snprintf(hex.data(), hex.size(), "%08x", Crc32(hashed));
  return hex.data();
}

std::vector<Json> ExampleConfigMaps() {
  std::set<std::string_view> names;
  for (const DocumentedKey& known : kKeys) names.insert(known.map);
  std::vector<Json> maps;
  for (const std::string_view name : names) {
    const std::string example = ExampleOf(name);
    Json map = {{"apiVersion", "v1"}, {"kind", "ConfigMap"}};
    map["metadata"] = {{"name", name}, {"namespace", kSystemNamespace}};
    SetLabel(map, "app.kubernetes.io/name", "knative-serving");
    SetAnnotation(map, kExampleChecksumAnnotation, ExampleChecksum(example));
    map["data"] = {{kExampleKey, example}};
    if (const auto first = FirstSettings().find(name); first != FirstSettings().end()) {
      for (const auto& [key, value] : first->second) map["data"][key] = value;
    }
    maps.push_back(std::move(map));
  }
  return maps;
}

}  // namespace updraft::api
