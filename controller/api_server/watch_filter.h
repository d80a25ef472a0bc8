// Which events a watch with selectors sees of a change. Pure.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "controller/objects/object_store.h"
#include "core/api/json.h"
#include "core/api/selectors.h"

namespace updraft::controller {

struct Selection {
  api::LabelSelector labels = {};
  api::FieldSelector fields = {};

  bool Matches(const Json& object) const;
};

struct WatchEvent {
  std::string_view type;  // ADDED, MODIFIED, DELETED
  std::shared_ptr<const Json> object;
};

// An object that comes to match is added, one that no longer matches is deleted: with its last
// matching state and the version of the change. nullopt: the watch sees nothing.
std::optional<WatchEvent> Select(const Selection& selection, const Change& change);

}  // namespace updraft::controller
