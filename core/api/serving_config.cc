#include "core/api/serving_config.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <functional>
#include <limits>

#include "core/api/access.h"
#include "core/api/field_error.h"
#include "core/api/quantity.h"

namespace updraft::api {
namespace {

bool EqualFold(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) ==
           std::tolower(static_cast<unsigned char>(y));
  });
}

Error Unparsable(std::string_view key, std::string_view function, std::string_view value,
                 std::string_view why) {
  return {Code::kInvalidArgument, "failed to parse \"" + std::string(key) + "\": strconv." +
                                      std::string(function) + ": parsing " + Quoted(value) + ": " +
                                      std::string(why)};
}

// Reads one key of a ConfigMap's data; keys that are absent leave `target` as it is.
class Reader {
 public:
  explicit Reader(const Json& data) : data_(data) {}

  void Integer(std::string_view key, int64_t& target) {
    const Json* value = Find(data_, {key});
    if (failed_ || value == nullptr) return;
    const std::string text = value->is_string() ? value->get<std::string>() : value->dump();
    int64_t parsed = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), parsed);
    if (error == std::errc::result_out_of_range)
      return Fail(Unparsable(key, "ParseInt", text, "value out of range"));
    if (error != std::errc() || end != text.data() + text.size()) {
      return Fail(Unparsable(key, "ParseInt", text, "invalid syntax"));
    }
    target = parsed;
  }

  void Boolean(std::string_view key, bool& target) {
    const Json* value = Find(data_, {key});
    if (failed_ || value == nullptr) return;
    const std::string text = value->is_string() ? value->get<std::string>() : value->dump();
    for (const std::string_view yes : {"1", "t", "T", "true", "TRUE", "True"}) {
      if (text == yes) return void(target = true);
    }
    for (const std::string_view no : {"0", "f", "F", "false", "FALSE", "False"}) {
      if (text == no) return void(target = false);
    }
    Fail(Unparsable(key, "ParseBool", text, "invalid syntax"));
  }

  void String(std::string_view key, std::string& target) {
    if (Find(data_, {key}) != nullptr) target = StringAt(data_, {key});
  }

  void AmountOf(std::string_view key, const std::string& resource,
                std::map<std::string, std::string>& target) {
    const Json* value = Find(data_, {key});
    if (failed_ || value == nullptr) return;
    const std::string text = value->is_string() ? value->get<std::string>() : value->dump();
    if (!Quantity::Parse(text)) {
      return Fail({Code::kInvalidArgument, "failed to parse \"" + std::string(key) +
                                               "\": quantities must match the regular expression "
                                               "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"});
    }
    target[resource] = text;
  }

  const std::optional<Error>& failure() const { return failed_; }

 private:
  void Fail(Error error) { failed_ = std::move(error); }

  const Json& data_;
  std::optional<Error> failed_;
};

std::string Not(std::string_view left, int64_t l, std::string_view right, int64_t r) {
  return std::string(left) + " (" + std::to_string(l) + ") cannot be greater than " +
         std::string(right) + " (" + std::to_string(r) + ")";
}

Status CheckDefaults(const RevisionDefaults& d) {
  const auto refuse = [](std::string why) { return Error{Code::kInvalidArgument, std::move(why)}; };
  if (d.timeout_seconds > d.timeout_seconds_max) {
    return refuse(Not("revision-timeout-seconds", d.timeout_seconds, "max-revision-timeout-seconds",
                      d.timeout_seconds_max));
  }
  if (d.response_start_timeout_seconds > 0 &&
      d.response_start_timeout_seconds > d.timeout_seconds) {
    return refuse(Not("revision-response-start-timeout-seconds", d.response_start_timeout_seconds,
                      "revision-timeout-seconds", d.timeout_seconds));
  }
  if (d.idle_timeout_seconds > 0 && d.idle_timeout_seconds > d.timeout_seconds) {
    return refuse(Not("revision-idle-timeout-seconds", d.idle_timeout_seconds,
                      "revision-timeout-seconds", d.timeout_seconds));
  }
  if (d.container_concurrency_max < 1) {
    return refuse(FieldErrors(OutOfBounds(std::to_string(d.container_concurrency_max), "1",
                                          "2147483647", "container-concurrency-max-limit"))
                      .Text());
  }
  if (d.container_concurrency < 0 || d.container_concurrency > d.container_concurrency_max) {
    return refuse(FieldErrors(OutOfBounds(std::to_string(d.container_concurrency), "0",
                                          std::to_string(d.container_concurrency_max),
                                          "container-concurrency"))
                      .Text());
  }
  for (const std::string& name : {d.container_name, d.init_container_name}) {
    if (name.find("{{") != std::string::npos)
      return refuse("error parsing template: only plain names are supported");
  }
  return Ok();
}

}  // namespace

Features Features::Parse(const Json& data) {
  Features features;
  if (!data.is_object()) return features;
  for (const auto& [key, value] : data.items()) {
    if (!value.is_string()) continue;
    const std::string& text = value.get_ref<const std::string&>();
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

Result<RevisionDefaults> RevisionDefaults::Parse(const Json& data) {
  RevisionDefaults d;
  Reader reader(data);
  reader.Boolean("allow-container-concurrency-zero", d.allow_container_concurrency_zero);
  reader.Integer("revision-timeout-seconds", d.timeout_seconds);
  reader.Integer("max-revision-timeout-seconds", d.timeout_seconds_max);
  reader.Integer("revision-idle-timeout-seconds", d.idle_timeout_seconds);
  d.response_start_timeout_seconds = d.timeout_seconds;
  reader.Integer("revision-response-start-timeout-seconds", d.response_start_timeout_seconds);
  reader.Integer("container-concurrency", d.container_concurrency);
  reader.Integer("container-concurrency-max-limit", d.container_concurrency_max);
  reader.String("container-name-template", d.container_name);
  reader.String("init-container-name-template", d.init_container_name);
  for (const std::string& resource :
       std::vector<std::string>{"cpu", "memory", "ephemeral-storage"}) {
    reader.AmountOf("revision-" + resource + "-request", resource, d.requests);
    reader.AmountOf("revision-" + resource + "-limit", resource, d.limits);
  }
  if (Find(data, {"enable-service-links"}) != nullptr) {
    const std::string links = StringAt(data, {"enable-service-links"});
    d.enable_service_links = std::nullopt;
    if (EqualFold(links, "true")) d.enable_service_links = true;
    if (EqualFold(links, "false")) d.enable_service_links = false;
  }
  if (reader.failure()) return *reader.failure();
  if (Status checked = CheckDefaults(d); !checked) return checked.error();
  return d;
}

ConfigKeys KeysOf(const Json& data) {
  ConfigKeys keys;
  if (!data.is_object()) return keys;
  for (const auto& [key, value] : data.items()) {
    if (value.is_string()) keys[key] = value.get<std::string>();
  }
  return keys;
}

Status ApplyConfigMap(std::string_view name, const Json& data, ServingConfig& config) {
  if (name == "config-features") {
    config.features = Features::Parse(data);
  } else if (name == "config-defaults") {
    Result<RevisionDefaults> defaults = RevisionDefaults::Parse(data);
    if (!defaults) return defaults.error();
    config.defaults = *std::move(defaults);
  } else if (name == "config-autoscaler") {
    Result<AutoscalerConfig> autoscaler = ParseAutoscalerConfig(KeysOf(data));
    if (!autoscaler) return autoscaler.error();
    config.autoscaler = *std::move(autoscaler);
  }
  return Ok();
}

}  // namespace updraft::api
