// On which node a new instance goes. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace updraft::controller {

// A node as placement sees it.
struct NodeView {
  std::string name;
  int64_t cpu_millis = 0;
  int64_t memory_bytes = 0;
  int64_t instances_max = 0;
  int64_t cpu_used_millis = 0;  // requests of the instances on it, not what they burn
  int64_t memory_used_bytes = 0;
  int64_t instances = 0;
  int64_t instances_of_revision = 0;
  bool has_image = false;  // all images of the instance are there, ready to start
  bool cordoned = false;
  bool silent = false;  // cannot be told anything now
  bool disk_pressure = false;
};

struct Demand {
  int64_t cpu_millis = 0;
  int64_t memory_bytes = 0;
};

struct Placement {
  std::optional<size_t> node;  // an index into the nodes
  std::string reason;          // why there is none, in Kubernetes' words

  bool operator==(const Placement&) const = default;
};

// Among the nodes where the demand fits: the one with the fewest instances of the revision and the
// least requested of it; a node that has the images is worth one instance and a half. Ties go to
// the first name, so that equal arguments give equal answers.
Placement Place(const Demand& demand, std::span<const NodeView> nodes);

}  // namespace updraft::controller
