// The part of Knative's config-* ConfigMaps that decides how manifests are defaulted and validated:
// config-defaults, config-features and config-autoscaler. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/api/autoscaler_config.h"
#include "core/api/json.h"
#include "core/base/result.h"

namespace updraft::api {

enum class Flag { kDisabled, kAllowed, kAllowRootBounded, kEnabled };

// config-features. Unknown keys and values are ignored, as Knative does.
class Features {
 public:
  static Features Parse(const Json& data);

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
  std::string container_name = "user-container";
  std::string init_container_name = "init-container";
  std::map<std::string, std::string> requests = {};  // by resource: cpu, memory, ephemeral-storage
  std::map<std::string, std::string> limits = {};

  // kInvalidArgument in Knative's words.
  static Result<RevisionDefaults> Parse(const Json& data);
};

struct ServingConfig {
  Features features = {};
  RevisionDefaults defaults = {};
  AutoscalerConfig autoscaler = {};
};

// The data of a ConfigMap; what is no text is left out.
ConfigKeys KeysOf(const Json& data);

// Reads the ConfigMap `name` into `config`; names that it does not know are fine. On an error
// `config` is as it was.
Status ApplyConfigMap(std::string_view name, const Json& data, ServingConfig& config);

}  // namespace updraft::api
