#include "controller/placement/place.h"

#include <algorithm>
#include <map>
#include <tuple>

namespace updraft::controller {
namespace {

// In tenths of an instance of the same revision.
constexpr int64_t kSpreadWeight = 10;
constexpr int64_t kMissingImageCost = 15;
constexpr int64_t kFullNodeCost = 10;

// Why the demand cannot go on the node; empty: it can.
std::vector<std::string> Objections(const Demand& demand, const NodeView& node) {
  if (node.silent) return {"node(s) were not ready"};
  if (node.cordoned) return {"node(s) were unschedulable"};
  if (node.disk_pressure) return {"node(s) had disk pressure"};
  std::vector<std::string> objections;
  if (node.instances >= node.instances_max) objections.push_back("Too many pods");
  if (demand.cpu_millis > 0 && node.cpu_used_millis + demand.cpu_millis > node.cpu_millis) {
    objections.push_back("Insufficient cpu");
  }
  if (demand.memory_bytes > 0 && node.memory_used_bytes + demand.memory_bytes > node.memory_bytes) {
    objections.push_back("Insufficient memory");
  }
  return objections;
}

int64_t ShareOf(int64_t used, int64_t capacity, int64_t whole) {
  if (capacity <= 0) return 0;
  return std::clamp<int64_t>(used, 0, capacity) * whole / capacity;
}

int64_t Cost(const NodeView& node) {
  const int64_t load =
      std::max({ShareOf(node.cpu_used_millis, node.cpu_millis, kFullNodeCost),
                ShareOf(node.memory_used_bytes / 1024, node.memory_bytes / 1024, kFullNodeCost),
                ShareOf(node.instances, node.instances_max, kFullNodeCost)});
  return node.instances_of_revision * kSpreadWeight + load +
         (node.has_image ? 0 : kMissingImageCost);
}

std::string InWords(size_t node_count, const std::map<std::string, int>& objections) {
  if (node_count == 0) return "no nodes available to schedule pods";
  std::string words = "0/" + std::to_string(node_count) + " nodes are available: ";
  bool first = true;
  for (const auto& [objection, count] : objections) {
    if (!first) words += ", ";
    words += std::to_string(count) + " " + objection;
    first = false;
  }
  return words + ".";
}

}  // namespace

Placement Place(const Demand& demand, std::span<const NodeView> nodes) {
  std::optional<size_t> best;
  std::map<std::string, int> objections;
  for (size_t i = 0; i < nodes.size(); ++i) {
    const std::vector<std::string> against = Objections(demand, nodes[i]);
    for (const std::string& objection : against) ++objections[objection];
    if (!against.empty()) continue;
    if (!best || std::tuple(Cost(nodes[i]), std::string_view(nodes[i].name)) <
                     std::tuple(Cost(nodes[*best]), std::string_view(nodes[*best].name))) {
      best = i;
    }
  }
  if (best) return {best, ""};
  return {std::nullopt, InWords(nodes.size(), objections)};
}

}  // namespace updraft::controller
