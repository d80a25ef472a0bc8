// Keeps a controller that has just started from acting on half of what it will know. Pure.
//
// Until it opens nothing is started or stopped, and activators are told that endpoints are not
// known.
#pragma once

#include <optional>
#include <set>

#include "controller/instances/instance.h"
#include "core/base/clock.h"

namespace updraft::controller {

class RestartGate {
 public:
  // `expected`: the nodes that were part of the platform when it last ran. A node that does not
  // come back is waited for until `patience` has passed since the first one did.
  RestartGate(std::set<NodeName> expected, Nanos patience)
      : missing_(std::move(expected)), patience_(patience) {}

  void OnInventory(const NodeName& node, TimePoint now) {
    missing_.erase(node);
    if (!first_) first_ = now;
  }
  // The node was taken out of the platform by its user.
  void Forget(const NodeName& node) { missing_.erase(node); }

  // Once open, open for good.
  bool Open(TimePoint now) const {
    return first_ && (missing_.empty() || now >= *first_ + patience_);
  }
  // When it opens by itself. nullopt: only by an inventory, or it is open already.
  std::optional<TimePoint> OpensAt() const {
    if (!first_ || missing_.empty()) return std::nullopt;
    return *first_ + patience_;
  }

 private:
  std::set<NodeName> missing_;
  const Nanos patience_;
  std::optional<TimePoint> first_;
};

}  // namespace updraft::controller
