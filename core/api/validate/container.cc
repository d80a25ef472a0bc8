#include <set>

#include "core/api/access.h"
#include "core/api/image_reference.h"
#include "core/api/validate/masks.h"
#include "core/api/validate/pod_parts.h"

namespace updraft::api {
namespace {

// queue-proxy's ports in Knative: manifests that use them work nowhere else.
constexpr int64_t kReservedPorts[] = {8012, 8013, 8022, 9090, 9091, 8008};

bool IsReservedVariable(const std::string& name, ContainerRole role) {
  if (name == "PORT") return role == ContainerRole::kServing;
  return name == "K_SERVICE" || name == "K_CONFIGURATION" || name == "K_REVISION";
}

FieldErrors ValidateEnv(const Json& env, ContainerRole role, const Features& features) {
  FieldErrors errors;
  for (size_t i = 0; i < env.size(); ++i) {
    FieldErrors entry = CheckAllowed(env[i], {{"name"}, {"value"}, {"valueFrom"}}, features);
    const std::string name = StringAt(env[i], {"name"});
    if (name.empty()) {
      entry.Add(MissingField({"name"}));
    } else if (IsReservedVariable(name, role)) {
      entry.Add(Generic(Quoted(name) + " is a reserved environment variable", {"name"}));
    }
    entry.Add(CheckAllowed(ObjectAt(env[i], {"valueFrom"}),
                           {{"configMapKeyRef"},
                            {"secretKeyRef"},
                            {"fieldRef", "kubernetes.podspec-fieldref"},
                            {"resourceFieldRef", "kubernetes.podspec-fieldref"}},
                           features)
                  .ViaField("valueFrom"));
    errors.Add(entry.ViaIndex(i));
  }
  return errors;
}

FieldErrors ValidateEnvFrom(const Json& sources, const Features& features) {
  FieldErrors errors;
  for (size_t i = 0; i < sources.size(); ++i) {
    errors.Add(CheckAllowed(sources[i], {{"prefix"}, {"configMapRef"}, {"secretRef"}}, features)
                   .ViaIndex(i));
    const bool config_map = Find(sources[i], {"configMapRef"}) != nullptr;
    const bool secret = Find(sources[i], {"secretRef"}) != nullptr;
    // Knative puts what it had found so far below these, and names no index for what follows.
    if (secret) errors = errors.ViaIndex(i).ViaField("secretRef");
    if (config_map) errors = errors.ViaIndex(i).ViaField("configMapRef");
    if (config_map && secret) errors.Add(MultipleOneOf({"configMapRef", "secretRef"}));
    if (!config_map && !secret) errors.Add(MissingOneOf({"configMapRef", "secretRef"}));
  }
  return errors;
}

FieldErrors ValidateImage(const std::string& image) {
  if (image.empty()) return MissingField({"image"});
  const Result<ImageReference> reference = ParseImageReference(image);
  if (reference) return {};
  return FieldError{.message = "Failed to parse image reference",
                    .paths = {"image"},
                    .details = "image: " + Quoted(image) + ", error: " + reference.error().message};
}

FieldErrors ValidatePort(const Json& port, const Features& features) {
  FieldErrors errors = CheckAllowed(port, {{"containerPort"}, {"name"}, {"protocol"}}, features);
  const int64_t number = IntAt(port, {"containerPort"});
  for (int64_t reserved : kReservedPorts) {
    if (number != reserved) continue;
    const std::string text = std::to_string(number) + " is a reserved port";
    errors.Add(InvalidValue(text, "containerPort", text + ", please use a different value"));
  }
  if (number < 0 || number > 65535)
    errors.Add(OutOfBounds(std::to_string(number), "0", "65535", "containerPort"));
  return errors;
}

FieldErrors ValidatePorts(const Json& ports, ContainerRole role, const Features& features) {
  FieldErrors errors;
  if (ports.empty()) return errors;
  if (role == ContainerRole::kInit) {
    for (const Json& port : ports) errors.Add(ValidatePort(port, features));
    return errors;
  }
  // Several ports are refused elsewhere: the first alone is looked at.
  errors.Add(ValidatePort(ports[0], features));
  const std::string protocol = StringAt(ports[0], {"protocol"});
  if (!protocol.empty() && protocol != "TCP") errors.Add(InvalidValue(protocol, "protocol"));
  const std::string name = StringAt(ports[0], {"name"});
  if (!name.empty() && name != "http1" && name != "h2c") {
    errors.Add(FieldError{.message = "Port name " + name + " is not allowed",
                          .paths = {""},
                          .details = "Name must be empty, or one of: 'h2c', 'http1'"});
  }
  return errors;
}

// A sidecar's probe is refused field by field. Of its handler, which is no field of Go's, Knative names the probe.
FieldErrors RefuseProbe(const Json& probe) {
  std::vector<std::string> refused;
  for (const auto& [name, value] : probe.items()) {
    const bool handler = name == "httpGet" || name == "tcpSocket" || name == "exec" || name == "grpc";
    refused.push_back(handler ? "" : name);
  }
  return refused.empty() ? FieldErrors() : DisallowedFields(std::move(refused));
}

FieldErrors ValidateProbes(const Json& container, ContainerRole role, const std::string& port_name,
                           const Features& features) {
  FieldErrors errors;
  for (const char* field : {"livenessProbe", "readinessProbe", "startupProbe"}) {
    const Json* probe = Find(container, {field});
    if (probe == nullptr) continue;
    FieldErrors found;
    if (role == ContainerRole::kInit) {
      found = Generic("field not allowed in an init container", {""});
    } else if (role == ContainerRole::kSidecar && !features.Enabled("multi-container-probing")) {
      found = RefuseProbe(*probe);
    } else if (std::string_view(field) == "readinessProbe") {
      found = ValidateReadinessProbe(*probe, role, port_name);
    } else {
      found = ValidateProbe(*probe, role, port_name);
    }
    errors.Add(found.ViaField(field));
  }
  const bool hook = role == ContainerRole::kInit && Find(container, {"lifecycle"}) != nullptr;
  if (hook) errors.Add(Generic("field not allowed in an init container", {"lifecycle"}));
  return errors;
}

}  // namespace

FieldErrors ValidateContainer(const Json& container, ContainerRole role,
                              const std::string& port_name, const VolumesByName& volumes,
                              const Features& features) {
  if (container.empty()) return MissingField({""});
  FieldErrors errors = ValidateProbes(container, role, port_name, features);
  errors.Add(CheckContainerFields(container, features));
  const std::string name = StringAt(container, {"name"});
  if (name == "queue-proxy")
    errors.Add(Generic(Quoted(name) + " is a reserved container name", {"name"}));
  errors.Add(ValidateEnv(ArrayAt(container, {"env"}), role, features).ViaField("env"));
  errors.Add(ValidateEnvFrom(ArrayAt(container, {"envFrom"}), features).ViaField("envFrom"));
  errors.Add(ValidateImage(StringAt(container, {"image"})));
  errors.Add(ValidatePorts(ArrayAt(container, {"ports"}), role, features).ViaField("ports"));
  errors.Add(CheckAllowed(ObjectAt(container, {"resources"}), {{"limits"}, {"requests"}}, features)
                 .ViaField("resources"));
  errors.Add(ValidateSecurity(ObjectAt(container, {"securityContext"}), features)
                 .ViaField("securityContext"));
  const std::string policy = StringAt(container, {"terminationMessagePolicy"});
  const bool known = policy.empty() || policy == "File" || policy == "FallbackToLogsOnError";
  if (!known) errors.Add(InvalidValue(policy, "terminationMessagePolicy"));
  errors.Add(ValidateMounts(ArrayAt(container, {"volumeMounts"}), volumes, features)
                 .ViaField("volumeMounts"));
  return errors;
}

}  // namespace updraft::api
