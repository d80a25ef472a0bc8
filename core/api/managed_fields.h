// metadata.managedFields: who owns which field, and server-side apply by it. Pure.
//
// A field belongs to every manager that applied it with the value it has, and to the one that last
// changed it by another verb. Applying a value that somebody else's differs from is a conflict;
// forced, it takes the field over. A manager that no longer applies a field gives it up, and it
// goes when nobody else owns it. Objects that are kept without managedFields are tracked from their
// first apply on: what they have belongs to "before-first-apply".
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/api/field_set.h"
#include "core/api/json.h"
#include "core/api/schema.h"

namespace updraft::api {

struct ManagedEntry {
  std::string manager = {};
  std::string operation = {};  // Apply or Update
  std::string api_version = {};
  std::string time = {};         // RFC 3339
  std::string subresource = {};  // empty: the object itself
  FieldSet fields = {};

  bool operator==(const ManagedEntry&) const = default;
};

using ManagedFields = std::vector<ManagedEntry>;

// `list`: metadata.managedFields. nullopt: not one of ours.
std::optional<ManagedFields> ReadManagedFields(const Json& list);
// In Kubernetes' order: appliers first, then by time.
Json WriteManagedFields(ManagedFields entries);
// What `object` says; empty when it says nothing usable.
ManagedFields ManagedFieldsOf(const Json& object);
void SetManagedFields(Json& object, const ManagedFields& entries);

// Who writes, what and when.
struct FieldWrite {
  const Schema* schema = nullptr;
  std::string manager = {};
  std::string api_version = {};
  std::string subresource = {};
  std::string time = {};  // RFC 3339
  // Fills in defaults. A value that is only the stored one without its defaults is no change.
  std::function<void(Json&)> complete = {};
};

// Who owns what once a verb other than apply has turned `before` into `after`. At most ten such
// managers are told apart; the oldest become one.
ManagedFields TrackUpdate(const FieldWrite& write, const Json& before, const Json& after,
                          ManagedFields entries);

// One field that an apply would have taken from another manager.
struct FieldConflict {
  std::string manager = {};  // in the words of the message: "kubectl" using v1
  std::string path = {};
};

struct AppliedFields {
  Json object = nullptr;  // `live` with the configuration merged in, and what was given up gone
  ManagedFields entries = {};
  std::vector<FieldConflict> conflicts = {};  // by manager; not empty: nothing may be stored
};

// `configuration` conforms to the schema and says nothing that the write does not reach (a status
// on the object itself). `live`: null when there is none yet.
AppliedFields ApplyFields(const FieldWrite& write, const Json& live, const Json& configuration,
                          ManagedFields entries, bool force);

}  // namespace updraft::api
