#include "core/api/managed_fields.h"

#include <algorithm>
#include <tuple>

#include "core/api/access.h"
#include "core/api/constants.h"
#include "core/api/meta.h"
#include "core/api/read.h"

namespace updraft::api {
namespace {

constexpr char kApply[] = "Apply";
constexpr char kUpdate[] = "Update";
constexpr char kFieldsType[] = "FieldsV1";
constexpr size_t kUpdatersMax = 10;
constexpr char kAncient[] = "ancient-changes";
constexpr char kBeforeFirstApply[] = "before-first-apply";
// kubectl's own applies carry on what its client-side applies began.
constexpr char kKubectl[] = "kubectl";

// What names an object or is the server's belongs to nobody.
const FieldSet& Unowned() {
  static const FieldSet set = [] {
    FieldSet unowned;
    for (const char* field : {"f:apiVersion", "f:kind", "f:metadata"})
      unowned.children[field].member = true;
    for (const char* field : {"f:name", "f:namespace", "f:creationTimestamp", "f:selfLink", "f:uid",
                              "f:generation", "f:managedFields", "f:resourceVersion"})
      unowned.children["f:metadata"].children[field].member = true;
    return unowned;
  }();
  return set;
}

FieldSet Owned(const FieldSet& set) { return Difference(set, Unowned()); }

FieldChanges Changes(const FieldWrite& write, const Json& before, const Json& after) {
  FieldChanges changes = CompareFields(*write.schema, before, after);
  if (!write.complete) return changes;
  Json completed = after;
  write.complete(completed);
  const FieldChanges real = CompareFields(*write.schema, before, completed);
  return {.added = Intersection(changes.added, real.added),
          .removed = Intersection(changes.removed, real.removed),
          .modified = Intersection(changes.modified, real.modified)};
}

FieldChanges OwnedChanges(const FieldWrite& write, const Json& before, const Json& after) {
  const FieldChanges changes = Changes(write, before, after);
  return {.added = Owned(changes.added),
          .removed = Owned(changes.removed),
          .modified = Owned(changes.modified)};
}

// Appliers are one whatever version they used.
bool IsBy(const ManagedEntry& entry, const FieldWrite& write, const char* operation) {
  return entry.manager == write.manager && entry.operation == operation &&
         entry.subresource == write.subresource &&
         (entry.operation == kApply || entry.api_version == write.api_version);
}

ManagedEntry& EntryFor(const FieldWrite& write, const char* operation, ManagedFields& entries) {
  for (ManagedEntry& entry : entries) {
    if (IsBy(entry, write, operation)) return entry;
  }
  entries.push_back({.manager = write.manager,
                     .operation = operation,
                     .api_version = write.api_version,
                     .time = write.time,
                     .subresource = write.subresource});
  return entries.back();
}

void DropEmpty(ManagedFields& entries) {
  std::erase_if(entries, [](const ManagedEntry& entry) { return entry.fields.empty(); });
}

// Takes `fields` from everybody but `keeper`.
void TakeFromOthers(const FieldSet& fields, const ManagedEntry* keeper, ManagedFields& entries) {
  for (ManagedEntry& entry : entries) {
    if (&entry != keeper) entry.fields = Difference(entry.fields, fields);
  }
}

void CapUpdaters(ManagedFields& entries) {
  std::vector<size_t> updaters;
  for (size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].operation == kUpdate) updaters.push_back(i);
  }
  if (updaters.size() <= kUpdatersMax) return;
  std::ranges::stable_sort(updaters, {}, [&entries](size_t i) { return entries[i].time; });
  updaters.resize(updaters.size() - kUpdatersMax + 1);
  ManagedEntry ancient = entries[updaters.back()];
  ancient.manager = kAncient;
  ancient.subresource.clear();
  for (const size_t i : updaters) {
    ancient.fields = Union(ancient.fields, entries[i].fields);
    entries[i].fields = {};
  }
  entries.push_back(std::move(ancient));
  DropEmpty(entries);
}

// "kubectl" with subresource "status" using v1, as kube-apiserver says it.
std::string Described(const ManagedEntry& entry) {
  std::string text = ToText(Json(entry.manager));
  if (!entry.subresource.empty()) text += " with subresource " + ToText(Json(entry.subresource));
  return entry.operation == kUpdate ? text + " using " + entry.api_version : text;
}

// Drops what the applier had and gives up, as far as nobody owns it now.
Json Prune(const Schema& schema, const Json& merged, const FieldSet& last,
           const ManagedFields& entries) {
  if (last.empty()) return merged;
  FieldSet owned;
  for (const ManagedEntry& entry : entries) owned = Union(owned, entry.fields);
  const FieldSet given_up =
      Difference(WithNamedParents(schema, last), WithNamedParents(schema, owned));
  return RemoveFields(schema, merged, Owned(given_up));
}

// What a manifest that kubectl applied from its side still holds of the object: the apply that
// takes its place needs no force for that.
FieldSet ClientSideApplied(const FieldWrite& write, const Json& live) {
  Result<Document> read = ReadJson(AnnotationOf(live, kLastAppliedAnnotation));
  if (!read || !read->value.is_object()) return {};
  Json& last = read->value;
  if (!Conform(*write.schema, last).problems.empty()) return {};
  const FieldChanges changes = Changes(write, live, last);
  return Difference(FieldsOf(*write.schema, last), Union(changes.modified, changes.added));
}

void CarryOnLastApplied(const Json& live, const Json& configuration, Json& object) {
  if (!HasAnnotation(live, kLastAppliedAnnotation)) return;
  Json last = configuration;
  Erase(last, {"metadata", "annotations", kLastAppliedAnnotation});
  SetAnnotation(object, kLastAppliedAnnotation, ToText(last) + "\n");
}

std::vector<FieldConflict> ConflictsOf(const FieldSet& wanted, const ManagedEntry& self,
                                       const FieldSet& allowed, const ManagedFields& entries) {
  std::vector<FieldConflict> conflicts;
  for (const ManagedEntry& entry : entries) {
    if (&entry == &self) continue;
    const FieldSet contested = Difference(Intersection(entry.fields, wanted), allowed);
    for (std::string& path : PathTexts(contested))
      conflicts.push_back({.manager = Described(entry), .path = std::move(path)});
  }
  std::ranges::stable_sort(conflicts, {}, &FieldConflict::manager);
  return conflicts;
}

}  // namespace

std::optional<ManagedFields> ReadManagedFields(const Json& list) {
  if (!list.is_array()) return std::nullopt;
  ManagedFields entries;
  for (const Json& item : list) {
    ManagedEntry entry{.manager = StringAt(item, {"manager"}),
                       .operation = StringAt(item, {"operation"}),
                       .api_version = StringAt(item, {"apiVersion"}),
                       .time = StringAt(item, {"time"}),
                       .subresource = StringAt(item, {"subresource"})};
    std::optional<FieldSet> fields = ReadFieldSet(ObjectAt(item, {"fieldsV1"}));
    const bool known = entry.operation == kApply || entry.operation == kUpdate;
    if (!known || !fields || StringAt(item, {"fieldsType"}) != kFieldsType) return std::nullopt;
    entry.fields = *std::move(fields);
    entries.push_back(std::move(entry));
  }
  return entries;
}

Json WriteManagedFields(ManagedFields entries) {
  std::ranges::stable_sort(entries, {}, [](const ManagedEntry& e) {
    return std::tie(e.operation, e.time, e.manager, e.api_version, e.subresource);
  });
  Json list = Json::array();
  for (const ManagedEntry& entry : entries) {
    Json item = {{"manager", entry.manager},
                 {"operation", entry.operation},
                 {"apiVersion", entry.api_version},
                 {"fieldsType", kFieldsType}};
    if (!entry.time.empty()) item["time"] = entry.time;
    if (!entry.subresource.empty()) item["subresource"] = entry.subresource;
    item["fieldsV1"] = WriteFieldSet(entry.fields);
    list.push_back(std::move(item));
  }
  return list;
}

ManagedFields ManagedFieldsOf(const Json& object) {
  return ReadManagedFields(ArrayAt(object, {"metadata", "managedFields"}))
      .value_or(ManagedFields{});
}

void SetManagedFields(Json& object, const ManagedFields& entries) {
  if (entries.empty()) {
    Erase(object, {"metadata", "managedFields"});
  } else {
    EnsureObject(object, {"metadata"})["managedFields"] = WriteManagedFields(entries);
  }
}

ManagedFields TrackUpdate(const FieldWrite& write, const Json& before, const Json& after,
                          ManagedFields entries) {
  const FieldChanges changes = OwnedChanges(write, before, after);
  const FieldSet taken = Union(changes.added, changes.modified);
  TakeFromOthers(Union(taken, changes.removed), nullptr, entries);
  if (!taken.empty()) {
    ManagedEntry& own = EntryFor(write, kUpdate, entries);
    own.fields = Union(own.fields, taken);
    own.time = write.time;
  }
  DropEmpty(entries);
  CapUpdaters(entries);
  return entries;
}

AppliedFields ApplyFields(const FieldWrite& write, const Json& live, const Json& configuration,
                          ManagedFields entries, bool force) {
  const Schema& schema = *write.schema;
  const Json before = live.is_object() ? live : Json::object();
  if (entries.empty() && !before.empty()) {
    FieldWrite first = write;
    first.manager = kBeforeFirstApply;
    entries = TrackUpdate(first, Json::object(), before, {});
  }
  const ManagedFields former = entries;
  ManagedEntry& own = EntryFor(write, kApply, entries);
  const FieldSet last = std::exchange(own.fields, Owned(FieldsOf(schema, configuration)));
  own.api_version = write.api_version;

  AppliedFields applied;
  applied.object = Prune(schema, MergeFields(schema, before, configuration), last, entries);
  const bool of_kubectl = write.manager == kKubectl;
  const FieldSet allowed = of_kubectl ? ClientSideApplied(write, before) : FieldSet();
  const FieldChanges changes = OwnedChanges(write, before, applied.object);
  const FieldSet taken = Union(changes.added, changes.modified);
  if (!force) applied.conflicts = ConflictsOf(taken, own, allowed, entries);
  TakeFromOthers(Union(taken, changes.removed), &own, entries);
  const bool changed = !taken.empty() || !changes.removed.empty() || entries != former;
  if (changed) own.time = write.time;
  DropEmpty(entries);
  applied.entries = std::move(entries);
  if (of_kubectl) CarryOnLastApplied(before, configuration, applied.object);
  return applied;
}

}  // namespace updraft::api
