// Knative's config-* ConfigMaps in namespace knative-serving, read as Knative reads them. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/api/autoscaler_config.h"
#include "core/api/config_reader.h"
#include "core/api/deployment_config.h"
#include "core/api/domain_config.h"
#include "core/api/gc_config.h"
#include "core/api/go_template.h"
#include "core/api/json.h"
#include "core/api/network_config.h"
#include "core/api/observability_config.h"
#include "core/base/result.h"

namespace updraft::api {

enum class Flag { kDisabled, kAllowed, kAllowRootBounded, kEnabled };

// config-features. Unknown keys and values are ignored, as Knative does.
class Features {
 public:
  static Features Parse(const ConfigKeys& keys);

  Flag Get(std::string_view feature) const;
  bool Enabled(std::string_view feature) const { return Get(feature) == Flag::kEnabled; }
  bool Disabled(std::string_view feature) const { return Get(feature) == Flag::kDisabled; }
  // secure-pod-defaults is Enabled or AllowRootBounded.
  bool SecureDefaults() const;

  void Set(std::string feature, Flag flag) { flags_[std::move(feature)] = flag; }

 private:
  std::map<std::string, Flag, std::less<>> flags_;
};

// config-defaults. Seconds where a name says so.
struct RevisionDefaults {
  int64_t timeout_seconds = 300;
  int64_t timeout_seconds_max = 600;
  int64_t response_start_timeout_seconds = 300;
  int64_t idle_timeout_seconds = 0;
  int64_t container_concurrency = 0;
  int64_t container_concurrency_max = 1000;
  bool allow_container_concurrency_zero = true;
  std::optional<bool> enable_service_links = false;
  std::optional<GoTemplate> container_name = std::nullopt;       // nullopt: "user-container"
  std::optional<GoTemplate> init_container_name = std::nullopt;  // nullopt: "init-container"
  std::map<std::string, std::string> requests = {};  // by resource: cpu, memory, ephemeral-storage
  std::map<std::string, std::string> limits = {};

  // kInvalidArgument in Knative's words.
  static Result<RevisionDefaults> Parse(const ConfigKeys& keys);

  // Of the containers of `parent`, a Service or Configuration. Empty: the template cannot name
  // them.
  std::string ContainerName(const Json& parent) const;
  std::string InitContainerName(const Json& parent) const;
};

struct ServingConfig {
  Features features = {};
  RevisionDefaults defaults = {};
  AutoscalerConfig autoscaler = {};
  NetworkConfig network = {};
  DomainConfig domains = {};
  RevisionRetention retention = {};
  DeploymentConfig deployment = {};
  ObservabilityConfig observability = {};
};

// The data of a ConfigMap; what is no text is left out.
ConfigKeys KeysOf(const Json& data);
// Labels or annotations; what is no text is left out.
TemplateMap TextsOf(const Json& map);

// Reads the ConfigMap `name` into `config`; names that it does not know are fine. On an error
// `config` is as it was.
Status ApplyConfigMap(std::string_view name, const Json& data, ServingConfig& config);

// Whether it reads ConfigMaps of that name.
bool IsConfigMap(std::string_view name);

// Knative's validating webhook for ConfigMaps in knative-serving: ApplyConfigMap(), and that nobody
// has written his settings into the example by mistake.
Status CheckConfigMap(const Json& config_map);

}  // namespace updraft::api
