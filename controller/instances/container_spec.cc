#include "controller/instances/container_spec.h"

#include <algorithm>

#include "core/api/access.h"
#include "core/api/quantity.h"

namespace updraft::controller {
namespace {

constexpr int64_t kNanosPerSecond = 1'000'000'000;
// Kubernetes' defaults for what a probe leaves out.
constexpr int64_t kProbePeriodSeconds = 10;
constexpr int64_t kProbeTimeoutSeconds = 1;
constexpr int64_t kProbeFailureThreshold = 3;
constexpr std::string_view kTerminationMessagePath = "/dev/termination-log";
constexpr std::string_view kFromLogs = "FallbackToLogsOnError";

// A name can only be the one port's.
uint32_t PortOf(const Json& handler, const ContainerContext& context) {
  const int64_t port = api::IntAt(handler, {"port"});
  return port > 0 ? static_cast<uint32_t>(port) : context.port;
}

void ReadHttp(const Json& http, const ContainerContext& context, v1::HttpProbe& out) {
  out.set_path(api::StringAt(http, {"path"}, "/"));
  out.set_port(PortOf(http, context));
  out.set_tls(api::StringAt(http, {"scheme"}) == "HTTPS");
  out.set_host(api::StringAt(http, {"host"}));
  for (const Json& header : api::ArrayAt(http, {"httpHeaders"})) {
    v1::EnvVar& added = *out.add_headers();
    added.set_name(api::StringAt(header, {"name"}));
    added.set_value(api::StringAt(header, {"value"}));
  }
}

void ReadHandler(const Json& probe, const ContainerContext& context, v1::Probe& out) {
  if (const Json* http = api::Find(probe, {"httpGet"})) {
    ReadHttp(*http, context, *out.mutable_http());
  } else if (const Json* grpc = api::Find(probe, {"grpc"})) {
    out.mutable_grpc()->set_port(PortOf(*grpc, context));
    out.mutable_grpc()->set_service(api::StringAt(*grpc, {"service"}));
  } else if (const Json* exec = api::Find(probe, {"exec"})) {
    out.mutable_exec();
    for (const Json& word : api::ArrayAt(*exec, {"command"})) {
      if (word.is_string()) out.mutable_exec()->add_command(word.get<std::string>());
    }
  } else {
    out.mutable_tcp()->set_port(PortOf(api::ObjectAt(probe, {"tcpSocket"}), context));
  }
}

Result<int64_t> Amount(const Json& resources, std::string_view list, std::string_view name,
                       int64_t otherwise) {
  const Json* json = api::Find(resources, {list, name});
  if (json == nullptr) return otherwise;
  const auto quantity = api::Quantity::FromJson(*json);
  if (!quantity) {
    return Error{Code::kInvalidArgument, "resources." + std::string(list) + "." +
                                             std::string(name) + ": " + json->dump() +
                                             " is not a quantity"};
  }
  return name == "cpu" ? quantity->MilliValue() : quantity->Value();
}

Status ReadResources(const Json& resources, v1::Resources& out) {
  const auto cpu_limit = Amount(resources, "limits", "cpu", 0);
  if (!cpu_limit) return cpu_limit.error();
  const auto memory_limit = Amount(resources, "limits", "memory", 0);
  if (!memory_limit) return memory_limit.error();
  // What is limited but not asked for is asked for, as in Kubernetes.
  const auto cpu_request = Amount(resources, "requests", "cpu", *cpu_limit);
  if (!cpu_request) return cpu_request.error();
  const auto memory_request = Amount(resources, "requests", "memory", *memory_limit);
  if (!memory_request) return memory_request.error();
  out.set_cpu_limit_millis(*cpu_limit);
  out.set_memory_limit_bytes(*memory_limit);
  out.set_cpu_request_millis(*cpu_request);
  out.set_memory_request_bytes(*memory_request);
  return Ok();
}

// A container's own word comes before its pod's.
void ReadSecurity(const Json& container, const Json& pod, v1::SecurityContext& out) {
  const auto either = [&container, &pod](std::string_view name) {
    const Json* own = api::Find(container, {name});
    return own != nullptr ? own : api::Find(pod, {name});
  };
  const Json* user = either("runAsUser");
  if (user != nullptr && user->is_number_integer()) out.set_run_as_user(user->get<int64_t>());
  const Json* group = either("runAsGroup");
  if (group != nullptr && group->is_number_integer()) out.set_run_as_group(group->get<int64_t>());
  if (const Json* non_root = either("runAsNonRoot")) out.set_run_as_non_root(*non_root == true);
  if (const Json* seccomp = either("seccompProfile")) {
    out.set_seccomp_unconfined(api::StringAt(*seccomp, {"type"}) == "Unconfined");
  }
  out.set_read_only_root(api::BoolAt(container, {"readOnlyRootFilesystem"}));
  out.set_no_new_privileges(!api::BoolAt(container, {"allowPrivilegeEscalation"}, true));
  out.set_allow_privilege_escalation(api::BoolAt(container, {"allowPrivilegeEscalation"}, false));
  for (const Json& name : api::ArrayAt(container, {"capabilities", "drop"})) {
    if (name.is_string()) out.add_drop_capabilities(name.get<std::string>());
  }
  for (const Json& name : api::ArrayAt(container, {"capabilities", "add"})) {
    if (name.is_string()) out.add_add_capabilities(name.get<std::string>());
  }
}

void ReadProbes(const Json& container, const ContainerContext& context, v1::Container& out) {
  if (const Json* probe = api::Find(container, {"startupProbe"}))
    *out.mutable_startup_probe() = ReadProbe(*probe, ProbeUse::kStartup, context);
  if (const Json* probe = api::Find(container, {"livenessProbe"}))
    *out.mutable_liveness_probe() = ReadProbe(*probe, ProbeUse::kLiveness, context);
  if (const Json* probe = api::Find(container, {"readinessProbe"})) {
    *out.mutable_readiness_probe() = ReadProbe(*probe, ProbeUse::kReadiness, context);
  } else if (context.serving) {
    // Nobody said how: it is ready when its port accepts, which is looked for as often as can be.
    out.mutable_readiness_probe()->mutable_tcp();
    out.mutable_readiness_probe()->set_success_threshold(1);
  }
}

void ReadMounts(const Json& container, v1::Container& out) {
  for (const Json& mount : api::ArrayAt(container, {"volumeMounts"})) {
    v1::VolumeMount& to = *out.add_mounts();
    to.set_volume(api::StringAt(mount, {"name"}));
    to.set_path(api::StringAt(mount, {"mountPath"}));
    to.set_sub_path(api::StringAt(mount, {"subPath"}));
    to.set_read_only(api::BoolAt(mount, {"readOnly"}));
  }
}

Status ReadProcess(const Json& container, const ContainerContext& context,
                   const NamedObjects& named, const DownwardFields& fields, v1::Container& out) {
  const auto environment = EnvironmentOf(container, context.platform, named, fields);
  if (!environment) return environment.error();
  for (const Variable& variable : *environment) {
    v1::EnvVar& added = *out.add_env();
    added.set_name(variable.name);
    added.set_value(variable.value);
  }
  for (const Json& word : api::ArrayAt(container, {"command"})) {
    if (word.is_string()) out.add_command(Expand(word.get<std::string>(), *environment));
  }
  for (const Json& word : api::ArrayAt(container, {"args"})) {
    if (word.is_string()) out.add_args(Expand(word.get<std::string>(), *environment));
  }
  return Ok();
}

}  // namespace

v1::Probe ReadProbe(const Json& probe, ProbeUse use, const ContainerContext& context) {
  v1::Probe out;
  ReadHandler(probe, context, out);
  out.set_success_threshold(
      static_cast<int32_t>(std::max<int64_t>(1, api::IntAt(probe, {"successThreshold"}, 1))));
  out.set_initial_delay_ns(api::IntAt(probe, {"initialDelaySeconds"}) * kNanosPerSecond);
  const int64_t period =
      api::IntAt(probe, {"periodSeconds"}, use == ProbeUse::kReadiness ? 0 : kProbePeriodSeconds);
  out.set_period_ns(period * kNanosPerSecond);
  if (period == 0) return out;  // aggressive: its timeout and threshold are the node's
  out.set_timeout_ns(
      std::max<int64_t>(1, api::IntAt(probe, {"timeoutSeconds"}, kProbeTimeoutSeconds)) *
      kNanosPerSecond);
  out.set_failure_threshold(static_cast<int32_t>(
      std::max<int64_t>(1, api::IntAt(probe, {"failureThreshold"}, kProbeFailureThreshold))));
  return out;
}

Result<v1::Container> ReadContainer(const Json& container, const Json& pod_security,
                                    const ContainerContext& context, const NamedObjects& named,
                                    const DownwardFields& fields) {
  v1::Container out;
  out.set_name(api::StringAt(container, {"name"}));
  out.set_image(api::StringAt(container, {"image"}));
  out.set_image_digest(context.image_digest);
  out.set_working_dir(api::StringAt(container, {"workingDir"}));
  out.set_image_pull_policy(api::StringAt(container, {"imagePullPolicy"}));
  out.set_termination_message_path(
      api::StringAt(container, {"terminationMessagePath"}, kTerminationMessagePath));
  out.set_termination_message_from_log(
      api::StringAt(container, {"terminationMessagePolicy"}, kFromLogs) == kFromLogs);
  const Status process = ReadProcess(container, context, named, fields, out);
  if (!process) return process.error();
  const Status resources =
      ReadResources(api::ObjectAt(container, {"resources"}), *out.mutable_resources());
  if (!resources) return resources.error();
  ReadSecurity(api::ObjectAt(container, {"securityContext"}), pod_security,
               *out.mutable_security());
  ReadProbes(container, context, out);
  ReadMounts(container, out);
  return out;
}

}  // namespace updraft::controller
