#include <algorithm>
#include <map>

#include "core/api/access.h"
#include "core/api/columns.h"
#include "core/api/conditions.h"
#include "core/api/meta.h"
#include "core/api/timestamp.h"

namespace updraft::api {
namespace {

constexpr std::string_view kNone = "<none>";
constexpr std::string_view kUnset = "<unset>";

using Value = std::function<Json(const Json&, WallTime)>;

Column Make(std::string name, Value value, std::string type = "string") {
  return {.name = std::move(name), .type = std::move(type), .value = std::move(value)};
}

Column Wide(std::string name, Value value, std::string type = "string") {
  return {
      .name = std::move(name), .type = std::move(type), .priority = 1, .value = std::move(value)};
}

Column Name() {
  Column column = Make("Name", [](const Json& object, WallTime) { return Json(NameOf(object)); });
  column.format = "name";
  return column;
}

std::string AgeOf(const std::string& timestamp, WallTime now) {
  const auto time = ParseTimestamp(timestamp);
  return time ? FormatAge(now - *time) : "<unknown>";
}

Column Age() {
  return Make("Age", [](const Json& object, WallTime now) {
    return Json(AgeOf(StringAt(object, {"metadata", "creationTimestamp"}), now));
  });
}

std::string OrNone(std::string text) { return text.empty() ? std::string(kNone) : std::move(text); }

// ---- pods

std::string PodReady(const Json& pod) {
  const Json& statuses = ArrayAt(pod, {"status", "containerStatuses"});
  const auto ready =
      std::ranges::count_if(statuses, [](const Json& s) { return BoolAt(s, {"ready"}); });
  return std::to_string(ready) + "/" + std::to_string(ArrayAt(pod, {"spec", "containers"}).size());
}

std::string EndOf(const Json& terminated) {
  return StringAt(terminated, {"reason"}, "ExitCode:" + std::to_string(IntAt(terminated, {"exitCode"})));
}

// "Init:1/2" and the like until all init containers have ended well; then empty.
std::string InitStatus(const Json& pod) {
  const Json& statuses = ArrayAt(pod, {"status", "initContainerStatuses"});
  size_t done = 0;
  for (const Json& container : statuses) {
    const std::string waiting = StringAt(container, {"state", "waiting", "reason"});
    if (const Json* ended = Find(container, {"state", "terminated"})) {
      if (IntAt(*ended, {"exitCode"}) != 0) return "Init:" + EndOf(*ended);
      ++done;
      continue;
    }
    if (!waiting.empty() && waiting != "PodInitializing") return "Init:" + waiting;
    return "Init:" + std::to_string(done) + "/" + std::to_string(statuses.size());
  }
  return "";
}

// What ails the pod's containers, in the words of their state, else its phase.
std::string PodStatus(const Json& pod) {
  if (IsBeingDeleted(pod)) return "Terminating";
  if (std::string init = InitStatus(pod); !init.empty()) return init;
  std::string status =
      StringAt(pod, {"status", "reason"}, StringAt(pod, {"status", "phase"}, kUnknown));
  for (const Json& container : ArrayAt(pod, {"status", "containerStatuses"})) {
    const std::string waiting = StringAt(container, {"state", "waiting", "reason"});
    const Json* ended = Find(container, {"state", "terminated"});
    if (!waiting.empty()) {
      status = waiting;
    } else if (ended != nullptr) {
      status = EndOf(*ended);
    }
  }
  return status;
}

std::string PodRestarts(const Json& pod, WallTime now) {
  int64_t restarts = 0;
  std::string last;
  for (const Json& container : ArrayAt(pod, {"status", "containerStatuses"})) {
    restarts += IntAt(container, {"restartCount"});
    last = std::max(last, StringAt(container, {"lastState", "terminated", "finishedAt"}));
  }
  if (restarts == 0 || last.empty()) return std::to_string(restarts);
  return std::to_string(restarts) + " (" + AgeOf(last, now) + " ago)";
}

// ---- nodes

std::string NodeStatus(const Json& node) {
  std::string status = IsConditionTrue(node, kReady) ? "Ready" : "NotReady";
  if (!ConditionOf(node, kReady)) status = kUnknown;
  if (BoolAt(node, {"spec", "unschedulable"})) status += ",SchedulingDisabled";
  return status;
}

std::string NodeRoles(const Json& node) {
  constexpr std::string_view kPrefix = "node-role.kubernetes.io/";
  std::string roles;
  for (const auto& [label, value] : ObjectAt(node, {"metadata", "labels"}).items()) {
    if (label.starts_with(kPrefix))
      roles += (roles.empty() ? "" : ",") + label.substr(kPrefix.size());
  }
  return OrNone(std::move(roles));
}

std::string NodeAddress(const Json& node, std::string_view type) {
  for (const Json& address : ArrayAt(node, {"status", "addresses"})) {
    if (StringAt(address, {"type"}) == type) return StringAt(address, {"address"});
  }
  return std::string(kNone);
}

Column NodeInfo(std::string name, const std::string& field, int priority) {
  Column column = Make(std::move(name), [field](const Json& node, WallTime) {
    return Json(StringAt(node, {"status", "nodeInfo", field}, "<unknown>"));
  });
  column.priority = priority;
  return column;
}

// ---- services, claims, events

std::string Ports(const Json& service) {
  std::string text;
  for (const Json& port : ArrayAt(service, {"spec", "ports"})) {
    text += (text.empty() ? "" : ",") + std::to_string(IntAt(port, {"port"})) + "/" +
            StringAt(port, {"protocol"}, "TCP");
  }
  return OrNone(std::move(text));
}

std::string Selector(const Json& service) {
  std::string text;
  for (const auto& [key, value] : ObjectAt(service, {"spec", "selector"}).items()) {
    if (value.is_string()) text += (text.empty() ? "" : ",") + key + "=" + value.get<std::string>();
  }
  return OrNone(std::move(text));
}

std::string ClaimStatus(const Json& claim) {
  return IsBeingDeleted(claim) ? "Terminating" : StringAt(claim, {"status", "phase"});
}

std::string AccessModes(const Json& claim) {
  static const std::map<std::string, std::string> kShort = {{"ReadWriteOnce", "RWO"},
                                                            {"ReadOnlyMany", "ROX"},
                                                            {"ReadWriteMany", "RWX"},
                                                            {"ReadWriteOncePod", "RWOP"}};
  std::string text;
  for (const Json& mode : ArrayAt(claim, {"status", "accessModes"})) {
    const auto known = kShort.find(mode.is_string() ? mode.get<std::string>() : "");
    if (known != kShort.end()) text += (text.empty() ? "" : ",") + known->second;
  }
  return text;
}

std::string EventObject(const Json& event) {
  std::string kind = StringAt(event, {"involvedObject", "kind"});
  std::ranges::transform(kind, kind.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return kind + "/" + StringAt(event, {"involvedObject", "name"});
}

std::string EventTime(const Json& event, const char* field, WallTime now) {
  const std::string time = StringAt(event, {field}, StringAt(event, {"eventTime"}));
  return AgeOf(time, now);
}

Column TextAt(std::string name, const std::string& first, const std::string& second = "") {
  return Make(std::move(name), [first, second](const Json& object, WallTime) {
    return Json(second.empty() ? StringAt(object, {first}) : StringAt(object, {first, second}));
  });
}

Column Count(std::string name, const std::string& field, const std::string& other = "") {
  return Make(
      std::move(name),
      [field, other](const Json& object, WallTime) {
        size_t count = ObjectAt(object, {field}).size() + ArrayAt(object, {field}).size();
        if (!other.empty()) count += ObjectAt(object, {other}).size();
        return Json(count);
      },
      "integer");
}

}  // namespace

std::vector<Column> NamespaceColumns() {
  return {Name(), TextAt("Status", "status", "phase"), Age()};
}

std::vector<Column> DomainClaimColumns() { return {Name(), Age()}; }

std::vector<Column> SecretColumns() {
  return {Name(), TextAt("Type", "type"), Count("Data", "data"), Age()};
}

std::vector<Column> ConfigMapColumns() {
  return {Name(), Count("Data", "data", "binaryData"), Age()};
}

std::vector<Column> ServiceAccountColumns() { return {Name(), Count("Secrets", "secrets"), Age()}; }

std::vector<Column> ClaimColumns() {
  return {Name(),
          Make("Status", [](const Json& c, WallTime) { return Json(ClaimStatus(c)); }),
          TextAt("Volume", "spec", "volumeName"),
          Make("Capacity",
               [](const Json& c, WallTime) {
                 return Json(StringAt(c, {"status", "capacity", "storage"}));
               }),
          Make("Access Modes", [](const Json& c, WallTime) { return Json(AccessModes(c)); }),
          TextAt("StorageClass", "spec", "storageClassName"),
          Make("VolumeAttributesClass",
               [](const Json& c, WallTime) {
                 return Json(StringAt(c, {"spec", "volumeAttributesClassName"}, kUnset));
               }),
          Age(),
          Wide("VolumeMode", [](const Json& c, WallTime) {
            return Json(StringAt(c, {"spec", "volumeMode"}, kUnset));
          })};
}

std::vector<Column> CoreServiceColumns() {
  return {Name(),
          TextAt("Type", "spec", "type"),
          Make("Cluster-IP",
               [](const Json& s, WallTime) {
                 return Json(OrNone(StringAt(s, {"spec", "clusterIP"})));
               }),
          Make("External-IP",
               [](const Json& s, WallTime) {
                 return Json(OrNone(StringAt(s, {"spec", "externalName"})));
               }),
          Make("Port(s)", [](const Json& s, WallTime) { return Json(Ports(s)); }),
          Age(),
          Wide("Selector", [](const Json& s, WallTime) { return Json(Selector(s)); })};
}

std::vector<Column> EventColumns() {
  return {
      Make("Last Seen",
           [](const Json& e, WallTime now) { return Json(EventTime(e, "lastTimestamp", now)); }),
      TextAt("Type", "type"),
      TextAt("Reason", "reason"),
      Make("Object", [](const Json& e, WallTime) { return Json(EventObject(e)); }),
      Wide("Subobject",
           [](const Json& e, WallTime) {
             return Json(StringAt(e, {"involvedObject", "fieldPath"}));
           }),
      Wide("Source",
           [](const Json& e, WallTime) {
             return Json(StringAt(e, {"source", "component"}));
           }),
      TextAt("Message", "message"),
      Wide("First Seen",
           [](const Json& e, WallTime now) { return Json(EventTime(e, "firstTimestamp", now)); }),
      Wide(
          "Count", [](const Json& e, WallTime) { return Json(IntAt(e, {"count"}, 1)); }, "integer"),
      Wide("Name", [](const Json& e, WallTime) { return Json(NameOf(e)); })};
}

std::vector<Column> PodColumns() {
  return {Name(),
          Make("Ready", [](const Json& p, WallTime) { return Json(PodReady(p)); }),
          Make("Status", [](const Json& p, WallTime) { return Json(PodStatus(p)); }),
          Make("Restarts", [](const Json& p, WallTime now) { return Json(PodRestarts(p, now)); }),
          Age(),
          Wide("IP",
               [](const Json& p, WallTime) {
                 return Json(OrNone(StringAt(p, {"status", "podIP"})));
               }),
          Wide("Node",
               [](const Json& p, WallTime) {
                 return Json(OrNone(StringAt(p, {"spec", "nodeName"})));
               }),
          Wide("Nominated Node", [](const Json&, WallTime) { return Json(kNone); }),
          Wide("Readiness Gates", [](const Json&, WallTime) { return Json(kNone); })};
}

std::vector<Column> NodeColumns() {
  return {Name(),
          Make("Status", [](const Json& n, WallTime) { return Json(NodeStatus(n)); }),
          Make("Roles", [](const Json& n, WallTime) { return Json(NodeRoles(n)); }),
          Age(),
          NodeInfo("Version", "kubeletVersion", 0),
          Wide("Internal-IP",
               [](const Json& n, WallTime) { return Json(NodeAddress(n, "InternalIP")); }),
          Wide("External-IP",
               [](const Json& n, WallTime) { return Json(NodeAddress(n, "ExternalIP")); }),
          NodeInfo("OS-Image", "osImage", 1),
          NodeInfo("Kernel-Version", "kernelVersion", 1),
          NodeInfo("Container-Runtime", "containerRuntimeVersion", 1)};
}

}  // namespace updraft::api
