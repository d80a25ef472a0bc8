#include "core/api/observability_config.h"

#include "core/api/duration.h"
#include "core/api/field_error.h"
#include "core/api/invalid_argument.h"

namespace updraft::api {
namespace {

Status CheckInterval(Nanos interval) {
  if (interval >= Nanos(0)) return Ok();
  return InvalidArgument("export interval " + Quoted(FormatGoDuration(interval)) +
                         " should be greater than zero");
}

Status CheckTracing(const ConfigKeys& keys) {
  std::string protocol = "none";
  std::string endpoint;
  double rate = 0;
  KeyReader reader(keys);
  reader.Read("tracing-protocol", protocol);
  reader.Read("tracing-endpoint", endpoint);
  reader.Read("tracing-sampling-rate", rate);
  if (reader.failure()) return *reader.failure();
  const bool exported = protocol == "grpc" || protocol == "http/protobuf";
  if (!exported && protocol != "none" && protocol != "stdout")
    return InvalidArgument("unsupported protocol " + Quoted(protocol));
  if (exported && endpoint.empty())
    return InvalidArgument("endpoint should be set for protocol " + Quoted(protocol));
  if (!exported && !endpoint.empty())
    return InvalidArgument("endpoint should not be set when protocol is 'none'");
  if (rate < 0)
    return InvalidArgument("sampling rate " + std::to_string(rate) +
                           " should be greater or equal to zero");
  if (rate > 1)
    return InvalidArgument("sampling rate " + std::to_string(rate) +
                           " should be less than or equal to one");
  return Ok();
}

Status CheckMetrics(const ConfigKeys& keys, const std::string& prefix) {
  std::string protocol = "none";
  std::string endpoint;
  Nanos interval{};
  KeyReader reader(keys);
  reader.Read(prefix + "metrics-protocol", protocol);
  reader.Read(prefix + "metrics-endpoint", endpoint);
  reader.Read(prefix + "metrics-export-interval", interval);
  if (reader.failure()) return *reader.failure();
  const bool exported = protocol == "grpc" || protocol == "http/protobuf";
  if (!exported && protocol != "none" && protocol != "prometheus")
    return InvalidArgument("unsupported protocol " + Quoted(protocol));
  if (exported && endpoint.empty())
    return InvalidArgument("endpoint should be set when protocol is " + Quoted(protocol));
  if (protocol == "none" && !endpoint.empty())
    return InvalidArgument("endpoint should not be set when protocol is " + Quoted(protocol));
  return CheckInterval(interval);
}

Status CheckRuntime(const ConfigKeys& keys) {
  std::string profiling = "disabled";
  Nanos interval = Seconds(15);
  KeyReader reader(keys);
  reader.Read("runtime-profiling", profiling);
  reader.Read("runtime-export-interval", interval);
  if (reader.failure()) return *reader.failure();
  if (profiling != "enabled" && profiling != "disabled")
    return InvalidArgument("unsupported profile setting " + Quoted(profiling));
  return CheckInterval(interval);
}

}  // namespace

Result<ObservabilityConfig> ObservabilityConfig::Parse(const ConfigKeys& keys) {
  Status checked = CheckTracing(keys);
  if (checked) checked = CheckMetrics(keys, "");
  if (checked) checked = CheckRuntime(keys);
  if (checked) checked = CheckMetrics(keys, "request-");
  if (!checked) return checked.error();
  ObservabilityConfig config;
  bool unused = false;
  KeyReader reader(keys);
  reader.Read("logging.enable-var-log-collection", unused);
  reader.Read("logging.revision-url-template", config.revision_url_template);
  reader.Read("logging.request-log-template", config.request_log_template);
  reader.Read("logging.enable-request-log", config.request_log);
  reader.Read("logging.enable-probe-request-log", unused);
  if (reader.failure()) return *reader.failure();
  if (config.request_log && keys.contains("logging.request-log-template") &&
      config.request_log_template.empty()) {
    return InvalidArgument(
        "\"logging.enable-request-log\" was set to true, but no "
        "\"logging.request-log-template\" was specified");
  }
  return config;
}

}  // namespace updraft::api
