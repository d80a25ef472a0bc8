#include <set>

#include "core/api/access.h"
#include "core/api/defaults.h"
#include "core/api/names.h"

namespace updraft::api {
namespace {

Json* Containers(Json& spec, std::string_view list) {
  Json* found = Find(spec, {list});
  return found != nullptr && found->is_array() ? found : nullptr;
}

void SetTimeoutDefaults(Json& spec, const RevisionDefaults& defaults) {
  if (IntAt(spec, {"timeoutSeconds"}) == 0) spec["timeoutSeconds"] = defaults.timeout_seconds;
  const int64_t timeout = IntAt(spec, {"timeoutSeconds"});
  const auto shorter = [&spec, timeout](const char* field, int64_t value) {
    if (Find(spec, {field}) == nullptr && value != 0 && value < timeout) spec[field] = value;
  };
  shorter("idleTimeoutSeconds", defaults.idle_timeout_seconds);
  shorter("responseStartTimeoutSeconds", defaults.response_start_timeout_seconds);
  if (Find(spec, {"containerConcurrency"}) == nullptr)
    spec["containerConcurrency"] = defaults.container_concurrency;
}

void SetNames(Json* containers, const std::set<std::string>& taken, const std::string& name) {
  if (containers == nullptr) return;
  int suffix = 0;
  for (Json& container : *containers) {
    if (!container.is_object() || !StringAt(container, {"name"}).empty()) continue;
    std::string chosen = name;
    if (containers->size() > 1 || taken.contains(name)) {
      do {
        chosen = ChildName(name, "-" + std::to_string(suffix++));
      } while (taken.contains(chosen));
    }
    container["name"] = chosen;
  }
}

void SetContainerNames(Json& spec, const Json& parent, const RevisionDefaults& defaults) {
  std::set<std::string> taken;
  for (const char* list : {"containers", "initContainers"}) {
    for (const Json& container : ArrayAt(spec, {list})) taken.insert(StringAt(container, {"name"}));
  }
  SetNames(Containers(spec, "containers"), taken, defaults.ContainerName(parent));
  SetNames(Containers(spec, "initContainers"), taken, defaults.InitContainerName(parent));
}

void SetResources(Json& container, const RevisionDefaults& defaults) {
  Json& resources = EnsureObject(container, {"resources"});
  const auto fill = [&resources](const char* list,
                                 const std::map<std::string, std::string>& amounts) {
    for (const auto& [resource, amount] : amounts) {
      Json& target = EnsureObject(resources, {list});
      if (Find(target, {resource}) == nullptr) target[resource] = amount;
    }
  };
  fill("requests", defaults.requests);
  fill("limits", defaults.limits);
}

bool HasHandler(const Json& probe) {
  for (const char* handler : {"tcpSocket", "httpGet", "exec", "grpc"}) {
    if (Find(probe, {handler}) != nullptr) return true;
  }
  return false;
}

void SetProbes(Json& container, bool serving) {
  if (serving && !HasHandler(ObjectAt(container, {"readinessProbe"}))) {
    EnsureObject(container, {"readinessProbe", "tcpSocket"})["port"] = 0;
  }
  if (Json* probe = Find(container, {"readinessProbe"})) {
    if (IntAt(*probe, {"successThreshold"}) == 0) (*probe)["successThreshold"] = 1;
    if (IntAt(*probe, {"periodSeconds"}) != 0) {
      if (IntAt(*probe, {"failureThreshold"}) == 0) (*probe)["failureThreshold"] = 3;
      if (IntAt(*probe, {"timeoutSeconds"}) == 0) (*probe)["timeoutSeconds"] = 1;
    }
  }
  for (const char* name : {"readinessProbe", "livenessProbe", "startupProbe"}) {
    Json* grpc = Find(container, {name, "grpc"});
    if (grpc != nullptr && Find(*grpc, {"service"}) == nullptr) (*grpc)["service"] = "";
  }
}

// Only directories of the instance's own may be written to.
void SetMounts(Json& container, const std::set<std::string>& writable) {
  Json* mounts = Find(container, {"volumeMounts"});
  if (mounts == nullptr || !mounts->is_array()) return;
  for (Json& mount : *mounts) {
    if (mount.is_object() && !writable.contains(StringAt(mount, {"name"})))
      mount["readOnly"] = true;
  }
}

void SetSecurity(const Json& spec, Json& container, const Features& features) {
  if (!features.SecureDefaults()) return;
  const Json& pod = ObjectAt(spec, {"securityContext"});
  Json& security = EnsureObject(container, {"securityContext"});
  if (Find(security, {"allowPrivilegeEscalation"}) == nullptr)
    security["allowPrivilegeEscalation"] = false;
  if (StringAt(pod, {"seccompProfile", "type"}).empty() &&
      StringAt(security, {"seccompProfile", "type"}).empty()) {
    EnsureObject(security, {"seccompProfile"})["type"] = "RuntimeDefault";
  }
  if (Find(security, {"capabilities"}) == nullptr) {
    Json& capabilities = EnsureObject(security, {"capabilities"});
    capabilities["drop"] = Json::array({"ALL"});
    for (const Json& port : ArrayAt(container, {"ports"})) {
      if (IntAt(port, {"containerPort"}) < 1024)
        capabilities["add"] = Json::array({"NET_BIND_SERVICE"});
    }
  }
  const bool root_refused = features.Enabled("secure-pod-defaults");
  if (root_refused && Find(pod, {"runAsNonRoot"}) == nullptr &&
      Find(security, {"runAsNonRoot"}) == nullptr) {
    security["runAsNonRoot"] = true;
  }
}

std::set<std::string> WritableVolumes(const Json& spec) {
  std::set<std::string> names;
  for (const Json& volume : ArrayAt(spec, {"volumes"})) {
    for (const char* source : {"emptyDir", "persistentVolumeClaim", "ephemeral"}) {
      if (Find(volume, {source}) != nullptr) names.insert(StringAt(volume, {"name"}));
    }
  }
  return names;
}

}  // namespace

void SetRevisionSpecDefaults(Json& spec, const Json& parent, const ServingConfig& config,
                             bool create) {
  SetTimeoutDefaults(spec, config.defaults);
  SetContainerNames(spec, parent, config.defaults);
  const std::set<std::string> writable = WritableVolumes(spec);
  if (Json* containers = Containers(spec, "containers")) {
    for (Json& container : *containers) {
      if (!container.is_object()) continue;
      SetResources(container, config.defaults);
      SetProbes(container, containers->size() == 1 || !ArrayAt(container, {"ports"}).empty());
      SetMounts(container, writable);
      SetSecurity(spec, container, config.features);
    }
    const bool links = create && config.defaults.enable_service_links && !containers->empty();
    if (links && Find(spec, {"enableServiceLinks"}) == nullptr) {
      spec["enableServiceLinks"] = *config.defaults.enable_service_links;
    }
  }
  if (Json* containers = Containers(spec, "initContainers")) {
    for (Json& container : *containers) {
      if (container.is_object()) SetSecurity(spec, container, config.features);
    }
  }
}

}  // namespace updraft::api
