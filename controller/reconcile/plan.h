// What a look at an object found to be done. Values: reconcilers make plans, the loop carries them
// out.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "controller/objects/deletion.h"
#include "controller/objects/object_store.h"
#include "core/base/clock.h"

namespace updraft::controller {

// uid, creationTimestamp and the first generation are set by whoever carries it out.
struct CreateObject {
  ObjectKey key = {};
  Json object = {};
  bool operator==(const CreateObject&) const = default;
};

// Holds the resourceVersion that it replaces: if that is not the current one any more, nothing is
// written and the object is looked at again. A state that IsFinished() removes the object.
struct UpdateObject {
  ObjectKey key = {};
  Json object = {};
  bool operator==(const UpdateObject&) const = default;
};

struct DeleteObject {
  ObjectKey key = {};
  std::string uid = {};  // nothing happens to another object of that name
  Propagation propagation = Propagation::kBackground;
  bool operator==(const DeleteObject&) const = default;
};

using Write = std::variant<CreateObject, UpdateObject, DeleteObject>;

// The tag of an image is to be resolved; the outcome is there when the object is next looked at.
struct ResolveImage {
  std::string image = {};
  bool operator==(const ResolveImage&) const = default;
};

// For `kubectl describe` of the object that was looked at; recorded once all writes are done.
struct RecordEvent {
  enum class Type { kNormal, kWarning };
  Type type = Type::kNormal;
  std::string reason = {};
  std::string message = {};
  bool operator==(const RecordEvent&) const = default;
};

using Effect = std::variant<ResolveImage, RecordEvent>;

struct ReconcilePlan {
  std::vector<Write> writes = {};  // independent of each other: may be done in any order
  std::vector<Effect> effects = {};
  std::optional<WallTime> wake_at = std::nullopt;  // look again then, even if nothing changes

  bool operator==(const ReconcilePlan&) const = default;

  void WakeNoLaterThan(WallTime when) { wake_at = wake_at ? std::min(*wake_at, when) : when; }
  void Normal(std::string reason, std::string message) {
    effects.push_back(
        RecordEvent{RecordEvent::Type::kNormal, std::move(reason), std::move(message)});
  }
  void Warn(std::string reason, std::string message) {
    effects.push_back(
        RecordEvent{RecordEvent::Type::kWarning, std::move(reason), std::move(message)});
  }
};

}  // namespace updraft::controller
