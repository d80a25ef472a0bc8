#include "core/api/deployment_config.h"

#include "core/api/access.h"
#include "core/api/domain_config.h"
#include "core/api/duration.h"
#include "core/api/field_error.h"
#include "core/api/names.h"
#include "core/api/read.h"

namespace updraft::api {
namespace {

Error Refuse(std::string why) { return {Code::kInvalidArgument, std::move(why)}; }

void ReadAmounts(KeyReader& reader) {
  for (const auto& [old_name, name] : std::initializer_list<std::pair<const char*, const char*>>{
           {"queueSidecarCPURequest", "queue-sidecar-cpu-request"},
           {"queueSidecarMemoryRequest", "queue-sidecar-memory-request"},
           {"queueSidecarEphemeralStorageRequest", "queue-sidecar-ephemeral-storage-request"},
           {"queueSidecarCPULimit", "queue-sidecar-cpu-limit"},
           {"queueSidecarMemoryLimit", "queue-sidecar-memory-limit"},
           {"queueSidecarEphemeralStorageLimit", "queue-sidecar-ephemeral-storage-limit"}}) {
    std::optional<Amount> amount;
    reader.ReadWithOldName(old_name, name, amount);
  }
}

Status CheckPeriods(const DeploymentConfig& config) {
  const std::string deadline = FormatGoDuration(config.progress_deadline);
  if (config.progress_deadline <= Nanos(0))
    return Refuse("progress-deadline cannot be a non-positive duration, was " + deadline);
  if (config.progress_deadline % Seconds(1) != Nanos(0))
    return Refuse("progress-deadline must be rounded to a whole second, was: " + deadline);
  if (config.digest_resolution_timeout <= Nanos(0)) {
    return Refuse("digest-resolution-timeout cannot be a non-positive duration, was " +
                  FormatGoDuration(config.digest_resolution_timeout));
  }
  return Ok();
}

Status CheckRuntimeClass(const std::string& name, const Json& selector) {
  const std::string start = "runtime-class-name " + name + " selector ";
  const Complaints complaints = CheckDns1123Subdomain(name);
  // "" is the runtime of those that no other class selects.
  if (!name.empty() && !complaints.empty())
    return Refuse(start + "not valid DNSSubdomain: " + ToGoList(complaints));
  for (const auto& [label, value] : ObjectAt(selector, {"selector"}).items()) {
    const Complaints wrong = CheckQualifiedName(label);
    const std::string text = value.is_string() ? value.get<std::string>() : ToText(value);
    if (!wrong.empty())
      return Refuse(start + "invalid: key: Invalid value: " + Quoted(label) + ": " + wrong.front());
    if (const Complaints bad = CheckLabelValue(text); !bad.empty())
      return Refuse(start + "invalid: values[0][" + label + "]: Invalid value: " + Quoted(text) +
                    ": " + bad.front());
  }
  return Ok();
}

Status CheckRuntimeClasses(const std::string& text) {
  const auto documents = ReadYaml(text);
  const bool empty = documents && (documents->empty() || documents->front().value.is_null());
  if (empty) return Ok();
  if (!documents || !documents->front().value.is_object()) {
    return Refuse("runtime-class-name cannot be parsed, please check the format: " +
                  (documents
                       ? "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal "
                         "string into Go value of type "
                         "map[string]deployment.RuntimeClassNameLabelSelector"
                       : "error converting YAML to JSON: yaml: " + documents.error().message));
  }
  for (const auto& [name, selector] : documents->front().value.items()) {
    if (Status checked = CheckRuntimeClass(name, selector); !checked) return checked;
  }
  return Ok();
}

}  // namespace

Result<DeploymentConfig> DeploymentConfig::Parse(const ConfigKeys& keys) {
  DeploymentConfig config;
  std::string image;
  std::string runtime_classes;
  std::string affinity = "none";
  KeyReader reader(keys);
  reader.ReadWithOldName("queueSidecarImage", "queue-sidecar-image", image);
  reader.ReadWithOldName("progressDeadline", "progress-deadline", config.progress_deadline);
  reader.ReadWithOldName("digestResolutionTimeout", "digest-resolution-timeout",
                         config.digest_resolution_timeout);
  reader.ReadWithOldName("registriesSkippingTagResolving", "registries-skipping-tag-resolving",
                         config.registries_skipping_tag_resolving);
  ReadAmounts(reader);
  reader.Read("runtime-class-name", runtime_classes);
  reader.Read("pod-is-always-schedulable", config.pod_is_always_schedulable);
  reader.Read("default-affinity-type", affinity);
  if (reader.failure()) return *reader.failure();
  if (image.empty()) return Refuse("queue-sidecar-image cannot be empty or unset");
  if (Status checked = CheckPeriods(config); !checked) return checked.error();
  if (affinity != "none" && affinity != "prefer-spread-revision-over-nodes")
    return Refuse("unsupported default-affinity-type value: " + Quoted(affinity));
  if (Status checked = CheckRuntimeClasses(runtime_classes); !checked) return checked.error();
  return config;
}

}  // namespace updraft::api
