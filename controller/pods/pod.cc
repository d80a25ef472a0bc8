#include "controller/pods/pod.h"

#include <algorithm>
#include <map>
#include <set>

#include "controller/pods/conditions.h"
#include "core/api/access.h"
#include "core/api/meta.h"
#include "core/api/timestamp.h"

namespace updraft::controller {
namespace {

// Of a revision alone; the rest of its spec is a pod's.
const std::set<std::string, std::less<>> kRevisionFields = {
    "containerConcurrency", "timeoutSeconds", "responseStartTimeoutSeconds", "idleTimeoutSeconds"};

std::string TimeOf(int64_t unix_ns) { return api::FormatTimestamp(FromUnixNanos(unix_ns)); }

Json StringsOf(const google::protobuf::Map<std::string, std::string>& from) {
  Json object = Json::object();
  for (const auto& [key, value] : from) object[key] = value;
  return object;
}

Json OwnerOf(const v1::InstanceSpec& spec) {
  return {{"apiVersion", "serving.knative.dev/v1"},
          {"kind", "Revision"},
          {"name", spec.revision()},
          {"uid", spec.revision_uid()},
          {"controller", true},
          {"blockOwnerDeletion", true}};
}

Json MetadataOf(const Instance& instance, const Json* revision, WallTime now,
                const Json* previous) {
  const size_t slash = instance.revision.find('/');
  const std::string revision_name = instance.revision.substr(slash + 1);
  Json metadata = {{"name", instance.id},
                   {"namespace", instance.revision.substr(0, slash)},
                   {"generateName", revision_name + "-deployment-"},
                   {"uid", PodUid(instance.id)},
                   {"creationTimestamp", api::FormatTimestamp(instance.created_wall)}};
  if (instance.spec) {
    metadata["labels"] = StringsOf(instance.spec->labels());
    metadata["annotations"] = StringsOf(instance.spec->annotations());
    metadata["ownerReferences"] = Json::array({OwnerOf(*instance.spec)});
  } else if (revision != nullptr) {
    metadata["labels"] = {{"serving.knative.dev/revision", revision_name}, {"app", revision_name}};
    for (const char* name : {"service", "configuration"}) {
      const std::string key = std::string("serving.knative.dev/") + name;
      if (api::HasLabel(*revision, key)) metadata["labels"][key] = api::LabelOf(*revision, key);
    }
    metadata["ownerReferences"] = Json::array({api::ControllerReferenceTo(*revision)});
  }
  if (instance.intent != Intent::kRun) {
    const std::string before =
        previous == nullptr ? "" : api::StringAt(*previous, {"metadata", "deletionTimestamp"});
    metadata["deletionTimestamp"] = before.empty() ? api::FormatTimestamp(now) : before;
    metadata["deletionGracePeriodSeconds"] =
        instance.spec ? instance.spec->termination_grace_ns() / 1'000'000'000 : int64_t{30};
  }
  return metadata;
}

// "repository@sha256:..." by container, as the revision's status has it.
std::map<std::string, std::string> PinnedImages(const Json& revision) {
  std::map<std::string, std::string> images;
  for (const char* list : {"containerStatuses", "initContainerStatuses"}) {
    for (const Json& status : api::ArrayAt(revision, {"status", list})) {
      images[api::StringAt(status, {"name"})] = api::StringAt(status, {"imageDigest"});
    }
  }
  return images;
}

Json SpecOf(const Instance& instance, const Json* revision) {
  Json spec = Json::object();
  if (revision != nullptr) {
    const auto images = PinnedImages(*revision);
    for (const auto& [key, value] : api::ObjectAt(*revision, {"spec"}).items()) {
      if (!kRevisionFields.contains(key)) spec[key] = value;
    }
    for (const char* list : {"containers", "initContainers"}) {
      if (!spec.contains(list) || !spec[list].is_array()) continue;
      for (Json& container : spec[list]) {
        const auto it = images.find(api::StringAt(container, {"name"}));
        if (it != images.end() && !it->second.empty()) container["image"] = it->second;
      }
    }
  } else if (instance.spec) {
    const auto add = [&spec](const char* list, const auto& containers) {
      for (const v1::Container& container : containers)
        spec[list].push_back({{"name", container.name()}, {"image", container.image()}});
    };
    add("containers", instance.spec->containers());
    add("initContainers", instance.spec->init_containers());
  }
  if (!instance.node.empty()) spec["nodeName"] = instance.node;
  spec["restartPolicy"] = "Always";
  if (instance.spec)
    spec["terminationGracePeriodSeconds"] = instance.spec->termination_grace_ns() / 1'000'000'000;
  return spec;
}

Json TerminatedState(const v1::Termination& end, const std::string& container_id) {
  std::string reason = end.exit_code() == 0 ? "Completed" : "Error";
  if (end.oom_killed()) reason = "OOMKilled";
  Json state = {{"exitCode", end.exit_code()},
                {"reason", reason},
                {"startedAt", TimeOf(end.started_at_ns())},
                {"finishedAt", TimeOf(end.finished_at_ns())}};
  if (end.signal() != 0) state["signal"] = end.signal();
  if (!end.message().empty()) state["message"] = end.message();
  if (!container_id.empty()) state["containerID"] = "containerd://" + container_id;
  return {{"terminated", state}};
}

constexpr char kCreating[] = "ContainerCreating";
constexpr char kInitializing[] = "PodInitializing";  // init containers have not all ended yet

Json WaitingState(const Instance& instance, const char* otherwise) {
  const v1::Failure& failure = instance.report.failure();
  const bool failed = !failure.reason().empty();
  Json state = {{"reason", failed ? failure.reason() : otherwise}};
  if (failed && !failure.message().empty()) state["message"] = failure.message();
  return {{"waiting", state}};
}

Json ContainerStatusOf(const Instance& instance, const v1::ContainerReport& container, bool init,
                       const char* waits_for) {
  Json status = {{"name", container.name()},
                 {"image", container.image()},
                 {"imageID", container.image_digest()},
                 {"ready", container.ready()},
                 {"started", container.running()},
                 {"restartCount", container.restart_count()},
                 {"lastState", Json::object()}};
  if (!container.container_id().empty())
    status["containerID"] = "containerd://" + container.container_id();
  const bool has_ended = container.has_last_termination();
  const bool done = init && container.ready();
  if (container.running()) {
    status["state"] = {{"running", {{"startedAt", TimeOf(container.started_at_ns())}}}};
  } else if (has_ended && (done || instance.phase != v1::INSTANCE_BACKOFF)) {
    status["state"] = TerminatedState(container.last_termination(), container.container_id());
    return status;
  } else {
    status["state"] = WaitingState(instance, waits_for);
  }
  if (has_ended)
    status["lastState"] = TerminatedState(container.last_termination(), container.container_id());
  return status;
}

// Before its node has said anything: from the spec.
Json ExpectedContainerStatuses(const Instance& instance, const Json& containers,
                               const char* waits_for) {
  Json statuses = Json::array();
  for (const Json& container : containers) {
    statuses.push_back({{"name", api::StringAt(container, {"name"})},
                        {"image", api::StringAt(container, {"image"})},
                        {"imageID", ""},
                        {"ready", false},
                        {"started", false},
                        {"restartCount", 0},
                        {"lastState", Json::object()},
                        {"state", WaitingState(instance, waits_for)}});
  }
  return statuses;
}

std::set<std::string, std::less<>> InitNames(const Json& spec) {
  std::set<std::string, std::less<>> names;
  for (const Json& container : api::ArrayAt(spec, {"initContainers"}))
    names.insert(api::StringAt(container, {"name"}));
  return names;
}

void AddContainerStatuses(const Instance& instance, const Json& spec, Json& status) {
  const auto init = InitNames(spec);
  const auto& reports = instance.report.containers();
  const auto initializing = [&init](const v1::ContainerReport& container) {
    return init.contains(container.name()) && !container.ready();
  };
  const bool told = !reports.empty();
  const bool initialized = init.empty() || (told && std::ranges::none_of(reports, initializing));
  const char* waits_for = initialized ? kCreating : kInitializing;
  const Json& containers = api::ArrayAt(spec, {"containers"});
  const Json& init_containers = api::ArrayAt(spec, {"initContainers"});
  status["containerStatuses"] =
      told ? Json::array() : ExpectedContainerStatuses(instance, containers, waits_for);
  if (!init.empty()) {
    status["initContainerStatuses"] =
        told ? Json::array() : ExpectedContainerStatuses(instance, init_containers, kInitializing);
  }
  for (const v1::ContainerReport& container : reports) {
    const bool is_init = init.contains(container.name());
    status[is_init ? "initContainerStatuses" : "containerStatuses"].push_back(
        ContainerStatusOf(instance, container, is_init, is_init ? kInitializing : waits_for));
  }
}

// As kubectl shows it of a pod that is not ready.
std::string UnreadyNames(const Instance& instance) {
  if (!instance.spec) return "";
  std::string names;
  for (const v1::Container& container : instance.spec->containers()) {
    const bool ready = std::ranges::any_of(
        instance.report.containers(), [&container](const v1::ContainerReport& report) {
          return report.name() == container.name() && report.ready();
        });
    if (!ready) names += (names.empty() ? "" : " ") + container.name();
  }
  return names;
}

std::string PhaseOf(const Instance& instance) {
  if (instance.phase == v1::INSTANCE_PENDING || instance.phase == v1::INSTANCE_PHASE_UNSPECIFIED)
    return "Pending";
  return instance.phase == v1::INSTANCE_FAILED ? "Failed" : "Running";
}

bool IsScheduled(const Instance& instance) {
  return !instance.node.empty() || instance.phase == v1::INSTANCE_FAILED;
}

Json ConditionsOf(const Instance& instance, const Json* previous, WallTime now) {
  const bool scheduled = IsScheduled(instance);
  const bool initialized = instance.phase != v1::INSTANCE_PENDING;
  const bool ready = Ready(instance);
  CoreCondition not_ready{.type = "Ready", .holds = ready, .reason = "", .message = ""};
  if (!ready) {
    not_ready.reason = "ContainersNotReady";
    not_ready.message = instance.fenced
                            ? "the node is silent"
                            : "containers with unready status: [" + UnreadyNames(instance) + "]";
  }
  CoreCondition containers_ready = not_ready;
  containers_ready.type = "ContainersReady";
  CoreCondition scheduling{.type = "PodScheduled", .holds = scheduled, .reason = "", .message = ""};
  if (!scheduled) {
    scheduling.reason = instance.report.failure().reason();
    scheduling.message = instance.report.failure().message();
  }
  Json conditions = Json::array();
  if (!scheduled) {
    conditions.push_back(BuildCondition(scheduling, previous, now));
    return conditions;
  }
  conditions.push_back(BuildCondition(
      {.type = "Initialized", .holds = initialized, .reason = "", .message = ""}, previous, now));
  conditions.push_back(BuildCondition(not_ready, previous, now));
  conditions.push_back(BuildCondition(containers_ready, previous, now));
  conditions.push_back(BuildCondition(scheduling, previous, now));
  return conditions;
}

std::string QosOf(const Instance& instance) {
  if (!instance.spec) return "BestEffort";
  bool any = false;
  bool all = true;
  for (const v1::Container& container : instance.spec->containers()) {
    const v1::Resources& r = container.resources();
    any = any || r.cpu_request_millis() > 0 || r.memory_request_bytes() > 0;
    all = all && r.cpu_limit_millis() > 0 && r.memory_limit_bytes() > 0 &&
          r.cpu_limit_millis() == r.cpu_request_millis() &&
          r.memory_limit_bytes() == r.memory_request_bytes();
  }
  return all ? "Guaranteed" : any ? "Burstable" : "BestEffort";
}

Json StatusOf(const Instance& instance, const PodSources& sources, const Json& spec, WallTime now) {
  Json status = {{"phase", PhaseOf(instance)},
                 {"conditions", ConditionsOf(instance, sources.previous, now)},
                 {"qosClass", QosOf(instance)}};
  if (instance.phase == v1::INSTANCE_FAILED) {
    status["reason"] = instance.report.failure().reason();
    status["message"] = instance.report.failure().message();
  }
  if (!instance.node.empty()) status["startTime"] = api::FormatTimestamp(instance.created_wall);
  if (!instance.report.ip().empty()) {
    status["podIP"] = instance.report.ip();
    status["podIPs"] = Json::array({{{"ip", instance.report.ip()}}});
  }
  if (sources.node != nullptr && !sources.node->hello.internal_ip().empty()) {
    status["hostIP"] = sources.node->hello.internal_ip();
    status["hostIPs"] = Json::array({{{"ip", sources.node->hello.internal_ip()}}});
  }
  // A pod without a node has no containers yet, and kubectl says Pending.
  if (IsScheduled(instance)) AddContainerStatuses(instance, spec, status);
  return status;
}

}  // namespace

Json BuildPod(const Instance& instance, const PodSources& sources, WallTime now) {
  Json spec = SpecOf(instance, sources.revision);
  Json status = StatusOf(instance, sources, spec, now);
  return {{"apiVersion", "v1"},
          {"kind", "Pod"},
          {"metadata", MetadataOf(instance, sources.revision, now, sources.previous)},
          {"spec", std::move(spec)},
          {"status", std::move(status)}};
}

}  // namespace updraft::controller
