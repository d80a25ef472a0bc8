// Sets of paths into a document, as metadata.managedFields keeps them, and what of a document a set
// means by its schema. Pure.
//
// A path element is spelled as FieldsV1 spells it: f:NAME, k:{"KEY":VALUE} for the element of a
// list with that key, v:VALUE for the element of a set. Lists without key, scalars and what the
// schema calls atomic have no paths below their own.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/api/json.h"
#include "core/api/schema.h"

namespace updraft::api {

struct FieldSet {
  bool member = false;                            // the path that leads here is in the set
  std::map<std::string, FieldSet> children = {};  // by path element; none of them empty

  bool empty() const { return !member && children.empty(); }
  bool operator==(const FieldSet&) const = default;
};

FieldSet Union(const FieldSet& a, const FieldSet& b);
FieldSet Difference(const FieldSet& a,
                    const FieldSet& b);  // path by path: a parent takes no child along
FieldSet Intersection(const FieldSet& a, const FieldSet& b);

// FieldsV1. nullopt: not one.
std::optional<FieldSet> ReadFieldSet(const Json& fields);
Json WriteFieldSet(const FieldSet& set);

// The paths in the words of Kubernetes' messages: .spec.env[name="A"].value
std::vector<std::string> PathTexts(const FieldSet& set);

// Every path that `value` says something about: its leaves, list elements, empty objects.
FieldSet FieldsOf(const Schema& schema, const Json& value);

struct FieldChanges {
  FieldSet added = {};
  FieldSet removed = {};
  FieldSet modified = {};
};
// Containers that come or go are named beside what is in them.
FieldChanges CompareFields(const Schema& schema, const Json& before, const Json& after);

// `applied` on top of `live`: objects merge, lists with a merge key merge by it and sets unite,
// both in the order of `applied`; other lists and values replace. Nothing is removed.
Json MergeFields(const Schema& schema, const Json& live, const Json& applied);

// `value` without what the set names. A container that is emptied by that goes too.
Json RemoveFields(const Schema& schema, Json value, const FieldSet& set);

// The set with the fields of objects above its paths, which belong to whoever set all that is in
// them, and without the maps: others may keep entries of their own there.
FieldSet WithNamedParents(const Schema& schema, FieldSet set);

}  // namespace updraft::api
