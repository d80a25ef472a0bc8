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

// As Go's decoder of JSON names what it found.
std::string GoTypeOf(const Json& value) {
  if (value.is_number()) return "number";
  if (value.is_boolean()) return "bool";
  return value.is_array() ? "array" : "string";
}

Error CannotDecode(const Json& value, const std::string& wanted) {
  return Refuse(
      "runtime-class-name cannot be parsed, please check the format: error unmarshaling JSON: while "
      "decoding JSON: json: cannot unmarshal " +
      GoTypeOf(value) + " into Go value of type " + wanted + "deployment.RuntimeClassNameLabelSelector");
}

Status CheckRuntimeClass(const std::string& name, const Json& selector) {
  if (!selector.is_object() && !selector.is_null()) return CannotDecode(selector, "");
  const std::string start = "runtime-class-name " + name + " selector ";
  const Complaints complaints = CheckDns1123Subdomain(name);
  // "" is the runtime of those that no other class selects.
  if (!name.empty() && !complaints.empty())
    return Refuse(start + "not valid DNSSubdomain: " + ToGoList(complaints));
  for (const auto& [label, value] : ObjectAt(selector, {"selector"}).items()) {
    const std::string text = value.is_string() ? value.get<std::string>() : ToText(value);
    Complaints wrong;
    for (const std::string& complaint : CheckQualifiedName(label))
      wrong.push_back("key: Invalid value: " + Quoted(label) + ": " + complaint);
    for (const std::string& complaint : CheckLabelValue(text))
      wrong.push_back("values[0][" + label + "]: Invalid value: " + Quoted(text) + ": " + complaint);
    if (wrong.empty()) continue;
    std::string list;
    for (const std::string& complaint : wrong) list += (list.empty() ? "" : ", ") + complaint;
    return Refuse(start + "invalid: " + (wrong.size() == 1 ? list : "[" + list + "]"));
  }
  return Ok();
}

Status CheckRuntimeClasses(const std::string& text) {
  const auto documents = ReadYaml(text);
  const bool empty = documents && (documents->empty() || documents->front().value.is_null());
  if (empty) return Ok();
  if (!documents)
    return Refuse("runtime-class-name cannot be parsed, please check the format: error converting YAML to JSON: " +
                  documents.error().message);
  if (!documents->front().value.is_object()) return CannotDecode(documents->front().value, "map[string]");
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
  if (reader.failure()) return *reader.failure();
  if (image.empty()) return Refuse("queue-sidecar-image cannot be empty or unset");
  if (Status checked = CheckPeriods(config); !checked) return checked.error();
  if (const auto given = keys.find("default-affinity-type"); given != keys.end()) affinity = given->second;
  if (affinity != "none" && affinity != "prefer-spread-revision-over-nodes")
    return Refuse("unsupported default-affinity-type value: " + Quoted(affinity));
  if (Status checked = CheckRuntimeClasses(runtime_classes); !checked) return checked.error();
  return config;
}

}  // namespace updraft::api
