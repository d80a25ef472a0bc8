#include "controller/api_server/watch_filter.h"

#include "core/api/access.h"
#include "core/api/meta.h"

namespace updraft::controller {

bool Selection::Matches(const Json& object) const {
  return (labels.empty() || labels.Matches(api::ObjectAt(object, {"metadata", "labels"}))) &&
         (fields.empty() || fields.Matches(object));
}

std::optional<WatchEvent> Select(const Selection& selection, const Change& change) {
  const bool before = change.previous != nullptr && selection.Matches(*change.previous);
  if (change.type == Change::Type::kDeleted) {
    if (!before) return std::nullopt;
    return WatchEvent{.type = "DELETED", .object = change.object};
  }
  const bool after = selection.Matches(*change.object);
  if (after) return WatchEvent{.type = before ? "MODIFIED" : "ADDED", .object = change.object};
  if (!before) return std::nullopt;
  auto last = std::make_shared<Json>(*change.previous);
  (*last)["metadata"]["resourceVersion"] = api::ResourceVersionOf(*change.object);
  return WatchEvent{.type = "DELETED", .object = std::move(last)};
}

}  // namespace updraft::controller
