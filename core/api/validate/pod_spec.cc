#include <set>

#include "core/api/access.h"
#include "core/api/names.h"
#include "core/api/quantity.h"
#include "core/api/validate/masks.h"
#include "core/api/validate/pod_parts.h"
#include "core/api/validation.h"

namespace updraft::api {
namespace {

// The name of the one serving port over all containers: "http" when it has none.
struct ServingPort {
  std::string name = "http";
  FieldErrors errors = {};
};

ServingPort FindServingPort(const Json& containers) {
  ServingPort port;
  size_t count = 0;
  for (const Json& container : containers) {
    const Json& ports = ArrayAt(container, {"ports"});
    if (ports.empty()) continue;
    count += ports.size();
    const std::string name = StringAt(ports[0], {"name"});
    port.name = name.empty() ? "http" : name;
  }
  if (count == 0 && containers.size() > 1) port.errors.Add(MissingField({"ports"}));
  if (count > 1) {
    port.errors.Add(FieldError{.message = "more than one container port is set",
                               .paths = {"ports"},
                               .details = "Only a single port is allowed across all containers"});
  }
  return port;
}

std::set<std::string> MountedVolumes(const Json& spec) {
  std::set<std::string> names;
  for (const char* list : {"initContainers", "containers"}) {
    for (const Json& container : ArrayAt(spec, {list})) {
      for (const Json& mount : ArrayAt(container, {"volumeMounts"}))
        names.insert(StringAt(mount, {"name"}));
    }
  }
  return names;
}

// Knative puts what it had found so far below the container as well.
void AddDuplicateName(const std::string& name, size_t index, std::set<std::string>& names,
                      FieldErrors& errors) {
  if (names.insert(name).second) return;
  errors.Add(Generic("duplicate container name " + Quoted(name), {"name"}));
  errors = errors.ViaFieldIndex("containers", index);
}

FieldErrors ValidateContainers(const Json& containers, const std::string& port_name,
                               const VolumesByName& volumes, const Features& features) {
  if (containers.empty()) return MissingField({"containers"});
  if (containers.size() == 1) {
    return ValidateContainer(containers[0], ContainerRole::kServing, port_name, volumes, features)
        .ViaFieldIndex("containers", 0);
  }
  if (!features.Enabled("multi-container")) {
    return Generic(
        "multi-container is off, but found " + std::to_string(containers.size()) + " containers",
        {});
  }
  FieldErrors errors;
  std::set<std::string> names;
  for (size_t i = 0; i < containers.size(); ++i) {
    AddDuplicateName(StringAt(containers[i], {"name"}), i, names, errors);
    const bool serving = !ArrayAt(containers[i], {"ports"}).empty();
    const ContainerRole role = serving ? ContainerRole::kServing : ContainerRole::kSidecar;
    errors.Add(ValidateContainer(containers[i], role, port_name, volumes, features)
                   .ViaFieldIndex("containers", i));
  }
  return errors;
}

FieldErrors ValidateInitContainers(const Json& spec, const VolumesByName& volumes,
                                   const Features& features) {
  const Json& containers = ArrayAt(spec, {"initContainers"});
  if (containers.empty()) return {};
  if (!features.Enabled("kubernetes.podspec-init-containers")) {
    return Generic("pod spec support for init-containers is off, but found " +
                       std::to_string(containers.size()) + " init containers",
                   {});
  }
  std::set<std::string> names;
  for (const Json& container : ArrayAt(spec, {"containers"}))
    names.insert(StringAt(container, {"name"}));
  FieldErrors errors;
  for (size_t i = 0; i < containers.size(); ++i) {
    // Named as if they were containers: so does Knative.
    AddDuplicateName(StringAt(containers[i], {"name"}), i, names, errors);
    errors.Add(ValidateContainer(containers[i], ContainerRole::kInit, "", volumes, features)
                   .ViaFieldIndex("containers", i));
  }
  return errors;
}

// Amounts that are none at all. Knative's server fails to decode these; its text names no field.
FieldErrors ValidateAmounts(const Json& amounts) {
  FieldErrors errors;
  for (const auto& [resource, amount] : amounts.items()) {
    if (Quantity::FromJson(amount)) continue;
    const std::string text = amount.is_string() ? amount.get<std::string>() : amount.dump();
    errors.Add(InvalidValue(text, resource,
                            "quantities must match the regular expression "
                            "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"));
  }
  return errors;
}

FieldErrors ValidateResources(const Json& spec) {
  FieldErrors errors;
  for (const char* list : {"containers", "initContainers"}) {
    const Json& containers = ArrayAt(spec, {list});
    for (size_t i = 0; i < containers.size(); ++i) {
      const Json& resources = ObjectAt(containers[i], {"resources"});
      FieldErrors found = ValidateAmounts(ObjectAt(resources, {"limits"})).ViaField("limits");
      found.Add(ValidateAmounts(ObjectAt(resources, {"requests"})).ViaField("requests"));
      errors.Add(found.ViaField("resources").ViaFieldIndex(list, i));
    }
  }
  return errors;
}

FieldErrors WarnContainers(const Json& spec, const Features& features) {
  FieldErrors warnings;
  for (const std::string& list : std::vector<std::string>{"containers", "initContainers"}) {
    const Json& containers = ArrayAt(spec, {list});
    for (size_t i = 0; i < containers.size(); ++i) {
      warnings.Add(WarnInsecureDefaults(spec, containers[i], features)
                       .ViaField("securityContext")
                       .ViaFieldIndex(list, i));
    }
  }
  return warnings;
}

}  // namespace

FieldErrors ValidatePodSpec(const Json& spec, const ServingConfig& config) {
  const Features& features = config.features;
  FieldErrors errors = CheckPodFields(spec, features);
  errors.Add(ValidatePodSecurity(ObjectAt(spec, {"securityContext"}), features)
                 .ViaField("securityContext"));
  errors.Add(WarnContainers(spec, features));

  const Json& volume_list = ArrayAt(spec, {"volumes"});
  errors.Add(ValidateVolumes(volume_list, MountedVolumes(spec), features).ViaField("volumes"));
  VolumesByName volumes;
  for (const Json& volume : volume_list) volumes[StringAt(volume, {"name"})] = &volume;

  errors.Add(ValidateInitContainers(spec, volumes, features));
  const Json& containers = ArrayAt(spec, {"containers"});
  const ServingPort port = FindServingPort(containers);
  errors.Add(port.errors.ViaField("containers[*]"));
  errors.Add(ValidateContainers(containers, port.name, volumes, features));
  errors.Add(ValidateResources(spec));

  const std::string account = StringAt(spec, {"serviceAccountName"});
  if (!account.empty()) {
    for (const std::string& complaint : CheckDns1123Subdomain(account)) {
      errors.Add(InvalidValue(account, "serviceAccountName", complaint));
    }
  }
  return errors;
}

FieldErrors ValidateRevisionSpec(const Json& spec, const ServingConfig& config) {
  FieldErrors errors = ValidatePodSpec(spec, config);
  const int64_t timeout = IntAt(spec, {"timeoutSeconds"});
  if (timeout < 0 || timeout > config.defaults.timeout_seconds_max) {
    errors.Add(OutOfBounds(std::to_string(timeout), "0",
                           std::to_string(config.defaults.timeout_seconds_max), "timeoutSeconds"));
  }
  if (Find(spec, {"containerConcurrency"}) != nullptr) {
    const int64_t concurrency = IntAt(spec, {"containerConcurrency"});
    const int64_t least = config.defaults.allow_container_concurrency_zero ? 0 : 1;
    if (concurrency < least || concurrency > config.defaults.container_concurrency_max) {
      errors.Add(OutOfBounds(std::to_string(concurrency), std::to_string(least),
                             std::to_string(config.defaults.container_concurrency_max),
                             "containerConcurrency"));
    }
  }
  return errors;
}

}  // namespace updraft::api
