// The table of kinds: everything that the server, the CLI and the documents know about each. Pure.
//
// A new kind is one more row in kinds.cc, with its schema and columns.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/json.h"
#include "core/api/schema.h"
#include "core/base/clock.h"

namespace updraft::api {

// A column of `kubectl get`.
struct Column {
  std::string name = {};        // as in the CRD: "LatestReady"; kubectl prints it in capitals
  std::string type = "string";  // string, integer
  int priority = 0;             // above 0: with -o wide alone
  std::string description = {};
  std::string format = {};
  std::function<Json(const Json& object, WallTime now)> value = {};
};

struct Kind {
  std::string group = {};    // empty: core
  std::string version = {};  // v1
  std::string kind = {};     // Service
  std::string plural = {};   // services
  std::string singular = {};
  std::vector<std::string> short_names = {};
  std::vector<std::string> categories = {};
  std::vector<std::string> verbs = {};  // that users may use, as discovery lists them
  bool namespaced = true;
  bool has_status = false;       // a /status subresource; a status in other writes has no effect
  bool has_generation = false;   // metadata.generation counts the changes of spec
  bool soft = false;             // held in memory alone
  bool strategic_merge = false;  // takes strategic merge patches
  SchemaRef schema = nullptr;
  std::vector<Column> columns = {};                 // the first is the name
  std::vector<std::string> selectable_fields = {};  // beside metadata.name and metadata.namespace
  // Another kind's objects in other words: how they are stored, and how they are shown.
  std::string stored_as = {};  // the store's resource; empty: its own
  std::function<Json(const Json&)> from_stored = {};
  std::function<Json(const Json&)> to_stored = {};

  std::string ApiVersion() const { return group.empty() ? version : group + "/" + version; }
  // "services.serving.knative.dev", "pods": the resource in messages.
  std::string QualifiedResource() const { return group.empty() ? plural : plural + "." + group; }
  // "Service.serving.knative.dev", "Pod": the kind in messages.
  std::string QualifiedKind() const { return group.empty() ? kind : kind + "." + group; }
  // "serving.knative.dev/services", "pods": the resource in the store.
  std::string StoreResource() const {
    if (!stored_as.empty()) return stored_as;
    return group.empty() ? plural : group + "/" + plural;
  }
  Json Shown(const Json& stored) const { return from_stored ? from_stored(stored) : stored; }
  Json Stored(Json shown) const { return to_stored ? to_stored(shown) : shown; }
  bool Allows(std::string_view verb) const;
};

const std::vector<Kind>& Kinds();

// nullptr: no such kind.
const Kind* FindResource(std::string_view group, std::string_view version, std::string_view plural);
const Kind* FindKind(std::string_view api_version, std::string_view kind);
// By plural, singular, short name, kind in lower case, or any of these with ".group": what kubectl
// takes as a resource. The serving kinds come before the core ones.
const Kind* FindByUserName(std::string_view name);

}  // namespace updraft::api
