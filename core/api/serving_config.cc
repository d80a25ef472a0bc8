#include "core/api/serving_config.h"

#include <algorithm>

#include "core/api/access.h"
#include "core/api/config_example.h"
#include "core/api/field_error.h"
#include "core/api/invalid_argument.h"
#include "core/api/meta.h"

namespace updraft::api {
namespace {

std::string Not(std::string_view left, int64_t l, std::string_view right, int64_t r) {
  return std::string(left) + " (" + std::to_string(l) + ") cannot be greater than " +
         std::string(right) + " (" + std::to_string(r) + ")";
}

Status CheckDefaults(const RevisionDefaults& d) {
  if (d.timeout_seconds > d.timeout_seconds_max) {
    return InvalidArgument(Not("revision-timeout-seconds", d.timeout_seconds,
                               "max-revision-timeout-seconds", d.timeout_seconds_max));
  }
  if (d.response_start_timeout_seconds > 0 &&
      d.response_start_timeout_seconds > d.timeout_seconds) {
    return InvalidArgument(Not("revision-response-start-timeout-seconds",
                               d.response_start_timeout_seconds, "revision-timeout-seconds",
                               d.timeout_seconds));
  }
  if (d.idle_timeout_seconds > 0 && d.idle_timeout_seconds > d.timeout_seconds) {
    return InvalidArgument(Not("revision-idle-timeout-seconds", d.idle_timeout_seconds,
                               "revision-timeout-seconds", d.timeout_seconds));
  }
  if (d.container_concurrency_max < 1) {
    return InvalidArgument(FieldErrors(OutOfBounds(std::to_string(d.container_concurrency_max), "1",
                                                   "2147483647", "container-concurrency-max-limit"))
                               .Text());
  }
  if (d.container_concurrency < 0 || d.container_concurrency > d.container_concurrency_max) {
    return InvalidArgument(FieldErrors(OutOfBounds(std::to_string(d.container_concurrency), "0",
                                                   std::to_string(d.container_concurrency_max),
                                                   "container-concurrency"))
                               .Text());
  }
  return Ok();
}

// What a name template of config-defaults sees of the Service or Configuration.
TemplateData MetadataOf(const Json& parent) {
  TemplateData data{.type = "v1.ObjectMeta"};
  data.fields = {{"Name", NameOf(parent)},
                 {"GenerateName", StringAt(parent, {"metadata", "generateName"})},
                 {"Namespace", NamespaceOf(parent)},
                 {"UID", UidOf(parent)},
                 {"Labels", TextsOf(ObjectAt(parent, {"metadata", "labels"}))},
                 {"Annotations", TextsOf(ObjectAt(parent, {"metadata", "annotations"}))}};
  return data;
}

Status ReadNameTemplate(const ConfigKeys& keys, const char* key, std::optional<GoTemplate>& into) {
  const auto found = keys.find(key);
  if (found == keys.end()) return Ok();
  Result<GoTemplate> parsed = GoTemplate::Parse("container-template", found->second);
  if (!parsed) return parsed.error();
  into = *std::move(parsed);
  return Ok();
}

Status TryNameTemplate(const std::optional<GoTemplate>& name_template) {
  if (!name_template) return Ok();
  if (const auto tried = name_template->Execute(MetadataOf(Json::object())); !tried)
    return Context("error executing template", tried.error());
  return Ok();
}

std::string NameBy(const std::optional<GoTemplate>& name_template, const char* fallback,
                   const Json& parent) {
  if (!name_template) return fallback;
  const Result<std::string> name = name_template->Execute(MetadataOf(parent));
  return name ? *name : "";
}

template <typename T>
Status Take(Result<T> read, T& into) {
  if (!read) return read.error();
  into = *std::move(read);
  return Ok();
}

struct KnownMap {
  std::string_view name;
  Status (*apply)(const ConfigKeys& keys, ServingConfig& config);
};
constexpr KnownMap kMaps[] = {
    {"config-autoscaler",
     [](const ConfigKeys& keys, ServingConfig& config) {
       return Take(ParseAutoscalerConfig(keys), config.autoscaler);
     }},
    {"config-defaults",
     [](const ConfigKeys& keys, ServingConfig& config) {
       return Take(RevisionDefaults::Parse(keys), config.defaults);
     }},
    {"config-deployment",
     [](const ConfigKeys& keys, ServingConfig& config) {
       return Take(DeploymentConfig::Parse(keys), config.deployment);
     }},
    {"config-domain",
     [](const ConfigKeys& keys, ServingConfig& config) {
       return Take(DomainConfig::Parse(keys), config.domains);
     }},
    {"config-features",
     [](const ConfigKeys& keys, ServingConfig& config) {
       return config.features = Features::Parse(keys), Ok();
     }},
    {"config-gc",
     [](const ConfigKeys& keys, ServingConfig& config) {
       return Take(RevisionRetention::Parse(keys), config.retention);
     }},
    {"config-network",
     [](const ConfigKeys& keys, ServingConfig& config) {
       return Take(NetworkConfig::Parse(keys), config.network);
     }},
    {"config-observability", [](const ConfigKeys& keys, ServingConfig& config) {
       return Take(ObservabilityConfig::Parse(keys), config.observability);
     }}};

}  // namespace

Features Features::Parse(const ConfigKeys& keys) {
  Features features;
  for (const auto& [key, text] : keys) {
    const bool secure = key == "secure-pod-defaults";
    if (EqualFold(text, "Enabled")) features.Set(key, Flag::kEnabled);
    if (EqualFold(text, "Disabled")) features.Set(key, Flag::kDisabled);
    if (EqualFold(text, "Allowed") && !secure) features.Set(key, Flag::kAllowed);
    if (EqualFold(text, "AllowRootBounded") && secure) features.Set(key, Flag::kAllowRootBounded);
  }
  return features;
}

Flag Features::Get(std::string_view feature) const {
  const auto found = flags_.find(feature);
  if (found != flags_.end()) return found->second;
  const bool on = feature == "multi-container" || feature == "kubernetes.podspec-volumes-emptydir";
  return on ? Flag::kEnabled : Flag::kDisabled;
}

bool Features::SecureDefaults() const {
  const Flag flag = Get("secure-pod-defaults");
  return flag == Flag::kEnabled || flag == Flag::kAllowRootBounded;
}

Result<RevisionDefaults> RevisionDefaults::Parse(const ConfigKeys& keys) {
  RevisionDefaults d;
  Status named = ReadNameTemplate(keys, "init-container-name-template", d.init_container_name);
  if (named) named = ReadNameTemplate(keys, "container-name-template", d.container_name);
  if (!named) return named.error();
  KeyReader reader(keys);
  reader.Read("allow-container-concurrency-zero", d.allow_container_concurrency_zero);
  reader.Read("revision-timeout-seconds", d.timeout_seconds);
  reader.Read("max-revision-timeout-seconds", d.timeout_seconds_max);
  reader.Read("revision-idle-timeout-seconds", d.idle_timeout_seconds);
  reader.Read("container-concurrency", d.container_concurrency);
  reader.Read("container-concurrency-max-limit", d.container_concurrency_max);
  for (const std::string resource : {"cpu", "memory", "ephemeral-storage"}) {
    std::optional<Amount> request;
    std::optional<Amount> limit;
    reader.Read("revision-" + resource + "-request", request);
    reader.Read("revision-" + resource + "-limit", limit);
    if (request) d.requests[resource] = request->text;
    if (limit) d.limits[resource] = limit->text;
  }
  d.response_start_timeout_seconds = d.timeout_seconds;
  reader.Read("revision-response-start-timeout-seconds", d.response_start_timeout_seconds);
  if (const auto links = keys.find("enable-service-links"); links != keys.end()) {
    d.enable_service_links = std::nullopt;
    if (EqualFold(links->second, "true")) d.enable_service_links = true;
    if (EqualFold(links->second, "false")) d.enable_service_links = false;
  }
  if (reader.failure()) return *reader.failure();
  if (Status checked = CheckDefaults(d); !checked) return checked.error();
  for (const auto* name_template : {&d.container_name, &d.init_container_name}) {
    if (Status tried = TryNameTemplate(*name_template); !tried) return tried.error();
  }
  return d;
}

std::string RevisionDefaults::ContainerName(const Json& parent) const {
  return NameBy(container_name, "user-container", parent);
}

std::string RevisionDefaults::InitContainerName(const Json& parent) const {
  return NameBy(init_container_name, "init-container", parent);
}

ConfigKeys KeysOf(const Json& data) {
  ConfigKeys keys;
  if (!data.is_object()) return keys;
  for (const auto& [key, value] : data.items()) {
    if (value.is_string()) keys[key] = value.get<std::string>();
  }
  return keys;
}

TemplateMap TextsOf(const Json& map) { return KeysOf(map); }

Status ApplyConfigMap(std::string_view name, const Json& data, ServingConfig& config) {
  for (const KnownMap& map : kMaps) {
    if (map.name == name) return map.apply(KeysOf(data), config);
  }
  return Ok();
}

bool IsConfigMap(std::string_view name) {
  return std::ranges::find(kMaps, name, &KnownMap::name) != std::end(kMaps);
}

Status CheckConfigMap(const Json& config_map) {
  const std::string name = NameOf(config_map);
  if (!IsConfigMap(name)) return Ok();
  const Json& data = ObjectAt(config_map, {"data"});
  const std::string checksum = AnnotationOf(config_map, kExampleChecksumAnnotation);
  if (Find(data, {kExampleKey}) != nullptr && !checksum.empty() &&
      checksum != ExampleChecksum(StringAt(data, {kExampleKey}))) {
    return InvalidArgument(
        "the update modifies a key in \"_example\" which is probably not what you want. Instead, "
        "copy the respective setting to the top-level of the ConfigMap, directly below \"data\"");
  }
  ServingConfig scratch;
  return ApplyConfigMap(name, data, scratch);
}

}  // namespace updraft::api
