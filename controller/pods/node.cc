#include <string>

#include "controller/instances/instance_name.h"
#include "controller/pods/conditions.h"
#include "controller/pods/pod.h"
#include "core/api/access.h"
#include "core/api/timestamp.h"

namespace updraft::controller {
namespace {

Json ResourcesOf(const v1::NodeCapacity& capacity) {
  return {{"cpu", std::to_string(capacity.cpu_millis()) + "m"},
          {"memory", std::to_string(capacity.memory_bytes() / 1024) + "Ki"},
          {"pods", std::to_string(capacity.instances_max())}};
}

Json NodeConditions(const Node& node, const Json* previous, WallTime now) {
  CoreCondition ready{.type = "Ready",
                      .holds = node.health != NodeHealth::kSilent,
                      .reason = "KubeletReady",
                      .message = "the node-agent answers"};
  if (!ready.holds) {
    ready.reason = "NodeStatusUnknown";
    ready.message = "the node-agent has been silent since " + api::FormatTimestamp(node.heard_wall);
  }
  CoreCondition disk{.type = "DiskPressure",
                     .holds = node.status.disk_pressure(),
                     .reason = "KubeletHasNoDiskPressure",
                     .message = ""};
  if (disk.holds) disk.reason = "KubeletHasDiskPressure";
  Json conditions = Json::array();
  for (const CoreCondition& condition : {disk, ready}) {
    Json built = BuildCondition(condition, previous, now);
    built["lastHeartbeatTime"] = api::FormatTimestamp(node.heard_wall);
    conditions.push_back(std::move(built));
  }
  return conditions;
}

Json NodeInfoOf(const v1::NodeHello& hello) {
  return {{"architecture", hello.architecture()},
          {"bootID", hello.boot_id()},
          {"containerRuntimeVersion", "containerd://" + hello.containerd_version()},
          {"kernelVersion", hello.kernel_version()},
          {"kubeletVersion", hello.version()},
          {"kubeProxyVersion", hello.version()},
          {"machineID", ""},
          {"operatingSystem", "linux"},
          {"osImage", hello.os_image()},
          {"systemUUID", ""}};
}

Json NodeStatus(const Node& node, const Json* previous, WallTime now) {
  const v1::NodeHello& hello = node.hello;
  Json status = {{"capacity", ResourcesOf(hello.capacity())},
                 {"allocatable", ResourcesOf(hello.capacity())},
                 {"conditions", NodeConditions(node, previous, now)},
                 {"nodeInfo", NodeInfoOf(hello)},
                 {"addresses", Json::array()},
                 {"images", Json::array()}};
  if (!hello.internal_ip().empty()) {
    status["addresses"].push_back({{"type", "InternalIP"}, {"address", hello.internal_ip()}});
  }
  status["addresses"].push_back({{"type", "Hostname"}, {"address", hello.node()}});
  for (const std::string& image : node.status.images()) {
    status["images"].push_back({{"names", Json::array({image})}, {"sizeBytes", 0}});
  }
  return status;
}

}  // namespace

Json BuildNode(const Node& node, const Json* previous, WallTime now) {
  const v1::NodeHello& hello = node.hello;
  Json json = previous != nullptr ? *previous : Json::object();
  json["apiVersion"] = "v1";
  json["kind"] = "Node";
  Json& metadata = api::EnsureObject(json, {"metadata"});
  metadata["name"] = hello.node();
  metadata["uid"] = StableUid("node " + hello.node());
  if (!metadata.contains("creationTimestamp")) {
    metadata["creationTimestamp"] = api::FormatTimestamp(node.joined_wall);
  }
  Json& labels = api::EnsureObject(json, {"metadata", "labels"});
  for (const auto& [key, value] : hello.labels()) labels[key] = value;
  labels["kubernetes.io/hostname"] = hello.node();
  labels["kubernetes.io/arch"] = hello.architecture();
  labels["kubernetes.io/os"] = "linux";
  Json& spec = api::EnsureObject(json, {"spec"});
  if (!hello.pod_subnet().empty()) {
    spec["podCIDR"] = hello.pod_subnet();
    spec["podCIDRs"] = Json::array({hello.pod_subnet()});
  }
  if (previous == nullptr && node.cordoned) spec["unschedulable"] = true;
  json["status"] = NodeStatus(node, previous, now);
  return json;
}

}  // namespace updraft::controller
