#include "core/api/access.h"
#include "core/api/validate/masks.h"
#include "core/api/validate/pod_parts.h"

namespace updraft::api {
namespace {

constexpr std::string_view kInt32Max = "2147483647";

// A port of an httpGet or tcpSocket probe: IntOrString, 0 and "" being absent.
FieldErrors ValidateProbePort(const Json& handler, const std::string& field, ContainerRole role,
                              const std::string& port_name) {
  const std::string text = StringAt(handler, {"port"});
  const int64_t number = IntAt(handler, {"port"});
  const std::string path = field + ".port";
  if (role == ContainerRole::kServing) {
    if (text.empty() || text == port_name) return {};
    return InvalidValue(text, path, "Probe port must match container port");
  }
  if (!text.empty() || number != 0) return {};
  const Json* port = Find(handler, {"port"});
  return InvalidValue(port != nullptr && port->is_string() ? "" : "0", path, "Probe port must be specified");
}

void CheckAtLeast(const Json& probe, const char* field, int64_t least, FieldErrors& errors) {
  const int64_t value = IntAt(probe, {field});
  if (value < least)
    errors.Add(OutOfBounds(std::to_string(value), std::to_string(least), kInt32Max, field));
}

}  // namespace

FieldErrors ValidateProbe(const Json& probe, ContainerRole role, const std::string& port_name) {
  FieldErrors errors;
  std::vector<std::string> handlers;
  for (const std::string& field :
       std::vector<std::string>{"httpGet", "tcpSocket", "exec", "grpc"}) {
    const Json* handler = Find(probe, {field});
    if (handler == nullptr) continue;
    handlers.push_back(field == "grpc" ? "gRPC" : field);  // Knative's own spelling
    // It puts what it found of the handlers before below this one.
    errors = errors.ViaField(field);
    if (field == "httpGet" || field == "tcpSocket")
      errors.Add(ValidateProbePort(*handler, field, role, port_name));
  }
  if (handlers.empty()) errors.Add(MissingOneOf({"httpGet", "tcpSocket", "exec", "grpc"}));
  if (handlers.size() > 1) errors.Add(MultipleOneOf(std::move(handlers)));
  return errors;
}

FieldErrors ValidateReadinessProbe(const Json& probe, ContainerRole role,
                                   const std::string& port_name) {
  FieldErrors errors = ValidateProbe(probe, role, port_name);
  CheckAtLeast(probe, "periodSeconds", 0, errors);
  CheckAtLeast(probe, "initialDelaySeconds", 0, errors);
  CheckAtLeast(probe, "successThreshold", 1, errors);
  if (IntAt(probe, {"periodSeconds"}) != 0) {
    CheckAtLeast(probe, "timeoutSeconds", 1, errors);
    CheckAtLeast(probe, "failureThreshold", 1, errors);
    return errors;
  }
  // Period 0 asks for Knative's aggressive probing, which has limits of its own.
  for (const std::string& field : std::vector<std::string>{"failureThreshold", "timeoutSeconds"}) {
    if (IntAt(probe, {field}) != 0)
      errors.Add(Generic(field + " is disallowed when periodSeconds is zero", {field}));
  }
  return errors;
}

}  // namespace updraft::api
