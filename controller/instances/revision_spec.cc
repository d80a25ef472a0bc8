#include "controller/instances/revision_spec.h"

#include <algorithm>
#include <set>

#include "controller/instances/container_spec.h"
#include "controller/instances/downward.h"
#include "controller/instances/failure.h"
#include "controller/instances/instance_name.h"
#include "controller/instances/pull_auth.h"
#include "controller/instances/volume_files.h"
#include "core/api/access.h"
#include "core/api/conditions.h"
#include "core/api/constants.h"
#include "core/api/duration.h"
#include "core/api/meta.h"

namespace updraft::controller {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kTimeoutSecondsDefault = 300;
constexpr uint32_t kPortDefault = 8080;
constexpr Nanos kProgressDeadlineDefault = Seconds(600);

constexpr std::string_view kAutoscalingPrefix = "autoscaling.knative.dev/";
constexpr std::string_view kClassAnnotation = "autoscaling.knative.dev/class";
constexpr std::string_view kOwnPrefix = "updraft.dev/";
// Of the revision alone: what changes while its instances run, or what they have no use for.
const std::set<std::string_view> kNoInstanceLabels = {api::kRoutingStateLabel, api::kRouteLabel};
const std::set<std::string_view> kNoInstanceAnnotations = {
    api::kRoutesAnnotation, api::kRoutingStateModifiedAnnotation, "serving.knative.dev/no-gc",
    "serving.knative.dev/lastPinned"};

v1::Reachability ReachabilityOf(const Json& revision) {
  const std::string state = api::LabelOf(revision, api::kRoutingStateLabel);
  if (state == "active") return v1::REACHABLE;
  if (state == "reserve") return v1::UNREACHABLE;
  return v1::REACHABILITY_UNKNOWN;
}

std::optional<v1::Failure> BrokenBy(const Json& revision) {
  for (const char* type : {"ContainerHealthy", "ResourcesAvailable"}) {
    const auto condition = api::ConditionOf(revision, type);
    if (!condition || !condition->IsFalse()) continue;
    // It waits for room, and is to be had as soon as there is some.
    if (condition->reason == kUnschedulable) continue;
    v1::Failure failure;
    failure.set_reason(condition->reason);
    failure.set_message(condition->message);
    return failure;
  }
  return std::nullopt;
}

// Name -> "sha256:..." of what was resolved; empty where resolving was skipped.
std::map<std::string, std::string> DigestsOf(const Json& revision) {
  std::map<std::string, std::string> digests;
  for (const char* list : {"containerStatuses", "initContainerStatuses"}) {
    for (const Json& status : api::ArrayAt(revision, {"status", list})) {
      const std::string digest = api::StringAt(status, {"imageDigest"});
      const size_t at = digest.find('@');
      digests[api::StringAt(status, {"name"})] =
          at == std::string::npos ? "" : digest.substr(at + 1);
    }
  }
  return digests;
}

const Json& ServingContainer(const Json& containers) {
  for (const Json& container : containers) {
    if (!api::ArrayAt(container, {"ports"}).empty()) return container;
  }
  return containers.front();
}

std::vector<Variable> PlatformVariables(const v1::InstanceSpec& spec) {
  return {{"K_CONFIGURATION", spec.configuration()},
          {"K_REVISION", spec.revision()},
          {"K_SERVICE", spec.service()}};
}

void ReadIdentity(const Json& revision, RevisionSpec& out) {
  v1::InstanceSpec& instance = out.instance;
  instance.set_namespace_(api::NamespaceOf(revision));
  instance.set_revision(api::NameOf(revision));
  instance.set_revision_uid(api::UidOf(revision));
  instance.set_configuration(api::LabelOf(revision, api::kConfigurationLabel));
  instance.set_service(api::LabelOf(revision, api::kServiceLabel));
  out.key = instance.namespace_() + "/" + instance.revision();
  out.created_at_ns = UnixNanos(api::CreationTimeOf(revision).value_or(WallTime()));
  out.reachability = ReachabilityOf(revision);
  out.broken = BrokenBy(revision);
}

void ReadLabels(const Json& revision, RevisionSpec& out) {
  auto& labels = *out.instance.mutable_labels();
  for (const auto& [key, value] : api::ObjectAt(revision, {"metadata", "labels"}).items()) {
    if (value.is_string() && !kNoInstanceLabels.contains(key))
      labels[key] = value.get<std::string>();
  }
  labels[std::string(api::kRevisionLabel)] = out.instance.revision();
  labels[std::string(api::kRevisionUidLabel)] = out.instance.revision_uid();
  if (!labels.contains("app")) labels["app"] = out.instance.revision();
  auto& annotations = *out.instance.mutable_annotations();
  for (const auto& [key, value] : api::ObjectAt(revision, {"metadata", "annotations"}).items()) {
    if (!value.is_string()) continue;
    if (!kNoInstanceAnnotations.contains(key)) annotations[key] = value.get<std::string>();
    if (key.starts_with(kAutoscalingPrefix) || key.starts_with(kOwnPrefix))
      out.scaling_annotations[key] = value.get<std::string>();
  }
  out.instance.set_report_usage(api::AnnotationOf(revision, kClassAnnotation) == api::kHpaClass);
  annotations[std::string(api::kDefaultContainerAnnotation)] = out.instance.serving_container();
}

void ReadRequestHandling(const Json& revision, RevisionSpec& out) {
  const Json& spec = api::ObjectAt(revision, {"spec"});
  const int64_t asked = api::IntAt(spec, {"timeoutSeconds"}, kTimeoutSecondsDefault);
  const int64_t timeout = (asked > 0 ? asked : kTimeoutSecondsDefault) * kSecond;
  out.instance.set_termination_grace_ns(timeout);
  const auto deadline =
      api::ParseGoDuration(api::AnnotationOf(revision, api::kProgressDeadlineAnnotation));
  out.own_progress_deadline = deadline && *deadline > Nanos(0);
  out.instance.set_progress_deadline_ns(
      out.own_progress_deadline ? deadline->count() : kProgressDeadlineDefault.count());
  out.routing.set_key(out.key);
  out.routing.set_service(out.instance.service());
  out.routing.set_configuration(out.instance.configuration());
  out.routing.set_container_concurrency(
      static_cast<uint32_t>(api::IntAt(spec, {"containerConcurrency"})));
  out.routing.set_timeout_ns(timeout);
  out.routing.set_response_start_timeout_ns(api::IntAt(spec, {"responseStartTimeoutSeconds"}) *
                                            kSecond);
  out.routing.set_idle_timeout_ns(api::IntAt(spec, {"idleTimeoutSeconds"}) * kSecond);
  out.routing.set_protocol(out.instance.protocol());
  const auto silence =
      api::ParseGoDuration(api::AnnotationOf(revision, api::kSilentStreamTimeoutAnnotation));
  out.routing.set_silent_stream_timeout_ns(silence ? std::max<int64_t>(0, silence->count()) : 0);
}

// The serving container's port decides what the others are told as well.
void ReadPort(const Json& serving, v1::InstanceSpec& out) {
  const Json& ports = api::ArrayAt(serving, {"ports"});
  const Json& port = ports.empty() ? api::ObjectAt(serving, {}) : ports.front();
  const int64_t number = ports.empty() ? 0 : api::IntAt(port, {"containerPort"});
  out.set_port(number > 0 ? static_cast<uint32_t>(number) : kPortDefault);
  const bool h2c = !ports.empty() && api::StringAt(port, {"name"}) == "h2c";
  out.set_protocol(h2c ? v1::APP_PROTOCOL_H2C : v1::APP_PROTOCOL_HTTP1);
  out.set_serving_container(api::StringAt(serving, {"name"}));
}

Status ReadContainers(const Json& pod, const std::map<std::string, std::string>& digests,
                      const NamedObjects& named, const DownwardFields& fields,
                      v1::InstanceSpec& out) {
  const Json& containers = api::ArrayAt(pod, {"containers"});
  const Json& pod_security = api::ObjectAt(pod, {"securityContext"});
  for (const char* list : {"initContainers", "containers"}) {
    for (const Json& container : api::ArrayAt(pod, {list})) {
      ContainerContext context{.serving = &container == &ServingContainer(containers),
                               .port = out.port(),
                               .image_digest = "",
                               .platform = PlatformVariables(out)};
      const std::string name = api::StringAt(container, {"name"});
      if (const auto it = digests.find(name); it != digests.end())
        context.image_digest = it->second;
      if (context.serving) context.platform.push_back({"PORT", std::to_string(out.port())});
      auto read = ReadContainer(container, pod_security, context, named, fields);
      if (!read) return Context("container \"" + name + "\"", read.error());
      *(std::string_view(list) == "containers" ? out.add_containers() : out.add_init_containers()) =
          std::move(*read);
    }
  }
  return Ok();
}

bool Resolved(const Json& pod, const std::map<std::string, std::string>& digests) {
  for (const char* list : {"initContainers", "containers"}) {
    for (const Json& container : api::ArrayAt(pod, {list})) {
      if (!digests.contains(api::StringAt(container, {"name"}))) return false;
    }
  }
  return true;
}

// What instances are told of themselves. `pod`: as far as it is read; both must outlive it.
DownwardFields FieldsOf(const Json& pod_spec, const v1::InstanceSpec& pod) {
  return [&pod_spec, &pod](const Json& holder, std::string_view container) -> Result<std::string> {
    if (const Json* field = api::Find(holder, {"fieldRef"}))
      return PodField(api::StringAt(*field, {"fieldPath"}), pod, pod_spec);
    const Json& reference = api::ObjectAt(holder, {"resourceFieldRef"});
    return ResourceField(reference, api::ArrayAt(pod_spec, {"containers"}), container);
  };
}

// Volumes may hold less than variables, as in Kubernetes.
DownwardFields VariableFieldsOf(const DownwardFields& fields) {
  return [&fields](const Json& holder, std::string_view container) -> Result<std::string> {
    const std::string_view mark = NodeField(api::StringAt(holder, {"fieldRef", "fieldPath"}));
    return mark.empty() ? fields(holder, container) : std::string(mark);
  };
}

}  // namespace

Result<RevisionSpec> ReadRevision(const Json& revision, const NamedObjects& named) {
  const Json& pod = api::ObjectAt(revision, {"spec"});
  const Json& containers = api::ArrayAt(pod, {"containers"});
  if (api::NameOf(revision).empty() || containers.empty()) {
    return Error{Code::kInvalidArgument, "not a Revision with a name and containers"};
  }
  RevisionSpec out;
  ReadIdentity(revision, out);
  ReadPort(ServingContainer(containers), out.instance);
  ReadLabels(revision, out);
  ReadRequestHandling(revision, out);
  const auto digests = DigestsOf(revision);
  out.resolved = Resolved(pod, digests);
  const DownwardFields fields = FieldsOf(pod, out.instance);
  Status status = ReadContainers(pod, digests, named, VariableFieldsOf(fields), out.instance);
  if (status) status = ReadVolumes(pod, named, fields, out.instance);
  out.marked = HasMarks(out.instance);
  out.instance.set_node_marks(HasNodeMarks(out.instance));
  if (!status) {
    out.config_error.emplace();
    out.config_error->set_reason(std::string(kConfigError));
    out.config_error->set_message(status.error().message);
  }
  for (v1::ImageAuth& auth : PullAuthOf(pod, named))
    *out.instance.add_image_auth() = std::move(auth);
  return out;
}

v1::InstanceSpec MakeInstanceSpec(const RevisionSpec& revision, const InstanceId& id,
                                  const v1::ColdStart& cold_start) {
  v1::InstanceSpec spec = revision.instance;
  spec.set_instance_id(id);
  *spec.mutable_cold_start() = cold_start;
  if (revision.marked) FillMarks(PodUid(id), spec);
  return spec;
}

ResourceRequests RequestsOf(const v1::InstanceSpec& spec) {
  ResourceRequests requests;
  for (const v1::Container& container : spec.containers()) {
    requests.cpu_millis += container.resources().cpu_request_millis();
    requests.memory_bytes += container.resources().memory_request_bytes();
  }
  return requests;
}

}  // namespace updraft::controller
