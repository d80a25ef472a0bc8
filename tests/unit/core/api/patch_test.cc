#include "core/api/patch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/api/managed_fields.h"
#include "core/api/meta.h"
#include "core/api/schemas/schemas.h"

namespace updraft::api {
namespace {

using testing::HasSubstr;

struct PatchCase {
  const char* target;
  const char* patch;
  const char* want;
};

TEST(MergePatchTest, FollowsTheRfc) {
  for (const PatchCase& c :
       {PatchCase{R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})"},
        PatchCase{R"({"a":"b"})", R"({"b":"c"})", R"({"a":"b","b":"c"})"},
        PatchCase{R"({"a":"b"})", R"({"a":null})", "{}"},
        PatchCase{R"({"a":["b"]})", R"({"a":"c"})", R"({"a":"c"})"},
        PatchCase{R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})", R"({"a":{"b":"d"}})"},
        PatchCase{R"({"a":[{"b":"c"}]})", R"({"a":[1]})", R"({"a":[1]})"},
        PatchCase{"{}", R"({"a":{"bb":{"ccc":null}}})", R"({"a":{"bb":{}}})"},
        PatchCase{R"({"e":null})", R"({"a":1})", R"({"a":1,"e":null})"},
        PatchCase{"[1,2]", R"({"a":"b"})", R"({"a":"b"})"}}) {
    EXPECT_EQ(MergePatch(Json::parse(c.target), Json::parse(c.patch)), Json::parse(c.want)) << c.patch;
  }
}

TEST(JsonPatchTest, Applies) {
  for (const PatchCase& c :
       {PatchCase{R"({"a":1})", R"([{"op":"add","path":"/b","value":2}])", R"({"a":1,"b":2})"},
        PatchCase{R"({"l":[1,3]})",
             R"([{"op":"add","path":"/l/1","value":2},{"op":"add","path":"/l/-","value":4}])",
             R"({"l":[1,2,3,4]})"},
        PatchCase{R"({"l":[1,2]})", R"([{"op":"remove","path":"/l/0"}])", R"({"l":[2]})"},
        PatchCase{R"({"a":1})", R"([{"op":"replace","path":"/a","value":{"b":1}}])", R"({"a":{"b":1}})"},
        PatchCase{R"({"a":1})", R"([{"op":"test","path":"/a","value":1},{"op":"remove","path":"/a"}])",
             "{}"},
        PatchCase{R"({"a":{"x":1}})", R"([{"op":"move","from":"/a/x","path":"/b"}])",
             R"({"a":{},"b":1})"},
        PatchCase{R"({"a":{"x":1}})", R"([{"op":"copy","from":"/a","path":"/a/y"}])",
             R"({"a":{"x":1,"y":{"x":1}}})"},
        PatchCase{R"({"m~n":1,"a/b":2})",
             R"([{"op":"remove","path":"/m~0n"},{"op":"replace","path":"/a~1b","value":3}])",
             R"({"a/b":3})"},
        PatchCase{R"({"a":1})", R"([{"op":"test","path":"/none","value":null}])", R"({"a":1})"}}) {
    const auto result = JsonPatch(Json::parse(c.target), Json::parse(c.patch));
    ASSERT_TRUE(result) << c.patch << ": " << result.error().message;
    EXPECT_EQ(*result, Json::parse(c.want)) << c.patch;
  }
}

TEST(JsonPatchTest, Refuses) {
  for (const char* patch :
       {"{}", "[1]", R"([{"op":"add"}])", R"([{"op":"add","path":"a","value":1}])",
        R"([{"op":"add","path":"/x/y","value":1}])", R"([{"op":"remove","path":"/none"}])",
        R"([{"op":"replace","path":"/none","value":1}])", R"([{"op":"spin","path":"/a"}])",
        R"([{"op":"test","path":"/a","value":2}])", R"([{"op":"add","path":"/l/9","value":1}])",
        R"([{"op":"remove","path":"/l/-"}])", R"([{"op":"remove","path":"/l/01"}])",
        R"([{"op":"move","from":"/l","path":"/l/0"}])", R"([{"op":"add","path":"/a~2","value":1}])",
        R"([{"op":"add","path":"/b"}])", R"([{"op":"remove","path":""}])"}) {
    EXPECT_FALSE(JsonPatch(Json::parse(R"({"a":1,"l":[1]})"), Json::parse(patch))) << patch;
  }
}

TEST(JsonPatchTest, CopiesAreBounded) {
  Json patch = Json::array();
  for (int i = 0; i < 40; ++i) {
    patch.push_back({{"op", "copy"}, {"from", ""}, {"path", "/a/" + std::to_string(i)}});
  }
  EXPECT_FALSE(JsonPatch(Json::parse(R"({"a":{"x":"0123456789"}})"), patch));
}

TEST(JsonPatchTest, NeitherMovesNorReplacementsNestWithoutEnd) {
  Json moves = Json::array();
  for (int i = 0; i < 200; ++i) {
    moves.push_back({{"op", "add"}, {"path", "/b"}, {"value", Json::object()}});
    moves.push_back({{"op", "move"}, {"from", "/a"}, {"path", "/b/a"}});
    moves.push_back({{"op", "move"}, {"from", "/b"}, {"path", "/a"}});
  }
  EXPECT_THAT(JsonPatch(Json::parse(R"({"a":{}})"), moves).error().message, HasSubstr("too deep"));
  Json replacements = Json::array();
  std::string path;
  for (int i = 0; i < 200; ++i) {
    path += "/a";
    replacements.push_back({{"op", "replace"}, {"path", path}, {"value", {{"a", 1}}}});
  }
  EXPECT_THAT(JsonPatch(Json::parse(R"({"a":1})"), replacements).error().message, HasSubstr("too deep"));
}

TEST(StrategicMergeTest, ListsThatWouldTakeForEverAreRefused) {
  Json names = Json::array();
  for (int i = 0; i < 100'000; ++i) names.push_back(std::to_string(i));
  const auto result = StrategicMergePatch(*ObjectOf("", {{.name = "s", .schema = SetOf(Text())}}),
                                          Json::object(), {{"s", names}});
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("elements"));
}

TEST(StrategicMergeTest, MergesByKey) {
  const Schema& account = *ServiceAccountSchema();
  for (const PatchCase& c :
       {PatchCase{R"({"secrets":[{"name":"a","kind":"x"},{"name":"b"}]})",
             R"({"secrets":[{"name":"a","kind":"y"},{"name":"c"}]})",
             R"({"secrets":[{"name":"a","kind":"y"},{"name":"b"},{"name":"c"}]})"},
        PatchCase{R"({"secrets":[{"name":"a"},{"name":"b"}]})",
             R"({"secrets":[{"name":"a","$patch":"delete"}]})", R"({"secrets":[{"name":"b"}]})"},
        PatchCase{R"({"secrets":[{"name":"a"}]})", R"({"secrets":[{"$patch":"replace"},{"name":"z"}]})",
             R"({"secrets":[{"name":"z"}]})"},
        PatchCase{R"({"secrets":[{"name":"a"},{"name":"b"}]})",
             R"({"$setElementOrder/secrets":[{"name":"c"},{"name":"a"}],"secrets":[{"name":"c"}]})",
             R"({"secrets":[{"name":"c"},{"name":"a"},{"name":"b"}]})"},
        PatchCase{R"({"imagePullSecrets":[{"name":"a"}]})", R"({"imagePullSecrets":[{"name":"b"}]})",
             R"({"imagePullSecrets":[{"name":"b"}]})"},
        PatchCase{R"({"metadata":{"finalizers":["a","b"]}})",
             R"({"metadata":{"$deleteFromPrimitiveList/finalizers":["a"],"finalizers":["c"]}})",
             R"({"metadata":{"finalizers":["b","c"]}})"},
        PatchCase{R"({"metadata":{"labels":{"a":"1","b":"2"}}})",
             R"({"metadata":{"labels":{"a":null,"c":"3"}}})",
             R"({"metadata":{"labels":{"b":"2","c":"3"}}})"},
        PatchCase{R"({"metadata":{"labels":{"a":"1","b":"2"}}})",
             R"({"metadata":{"labels":{"$patch":"replace","c":"3"}}})",
             R"({"metadata":{"labels":{"c":"3"}}})"},
        PatchCase{R"({"metadata":{"labels":{"a":"1","b":"2"}}})",
             R"({"metadata":{"labels":{"$retainKeys":["b","c"],"c":"3"}}})",
             R"({"metadata":{"labels":{"b":"2","c":"3"}}})"}}) {
    const auto result = StrategicMergePatch(account, Json::parse(c.target), Json::parse(c.patch));
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ(*result, Json::parse(c.want)) << c.patch;
  }
}

TEST(StrategicMergeTest, Refuses) {
  const Schema& account = *ServiceAccountSchema();
  for (const char* patch :
       {"[]", R"({"$patch":"spin"})", R"({"secrets":[{"kind":"x"}]})", R"({"$retainKeys":1})"}) {
    EXPECT_FALSE(StrategicMergePatch(account, Json::object(), Json::parse(patch))) << patch;
  }
}

TEST(JsonPatchTest, MakesNothingDeeperThanWhatMayBeRead) {
  // Each copy of a branch to its own end doubles it.
  Json patch = Json::array();
  std::string end = "/a";
  for (int i = 0; i < 20; ++i) {
    patch.push_back({{"op", "copy"}, {"from", "/a"}, {"path", end + "/a"}});
    end += "/a";
  }
  const auto result = JsonPatch(Json::parse(R"({"a":{}})"), patch);
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("too deep"));
}

// ---- server-side apply

// Something of everything: a map, a list by key, a set, an atomic list, an atomic object.
const Schema& Sample() {
  static const SchemaRef schema = ObjectOf(
      "",
      {{"apiVersion", "", Text()},
       {"kind", "", Text()},
       {"metadata", "", ObjectMetaSchema()},
       {"number", "", Int64()},
       {"object", "", ObjectOf("", {{"a", "", Text()}, {"b", "", Text()}})},
       {"atomic", "", AtomicOf(ObjectOf("", {{"a", "", Text()}, {"b", "", Text()}}))},
       {"list", "", ListByKey("name", ObjectOf("", {{"name", "", Text()}, {"value", "", Text()}}))},
       {"set", "", SetOf(Text())},
       {"plain", "", ListOf(Text())},
       {"any", "", AnyObject()}});
  return *schema;
}

std::string Fields(const FieldSet& set) { return WriteFieldSet(set).dump(); }

TEST(FieldSetTest, NamesWhatAValueHas) {
  for (const auto& [value, fields] : std::vector<std::pair<const char*, const char*>>{
           {R"({"number":1,"object":{"a":"x"}})", R"({"f:number":{},"f:object":{"f:a":{}}})"},
           {R"({"object":{},"atomic":{"a":"x"}})", R"({"f:atomic":{},"f:object":{}})"},
           {R"({"list":[{"name":"n","value":"v"}]})",
            R"({"f:list":{"k:{\"name\":\"n\"}":{".":{},"f:name":{},"f:value":{}}}})"},
           {R"({"set":["x"],"plain":["y"]})", R"({"f:plain":{},"f:set":{"v:\"x\"":{}}})"},
           {R"({"any":{"deep":{"l":[1],"x":1}}})",
            R"({"f:any":{"f:deep":{".":{},"f:l":{},"f:x":{}}}})"},
           {R"({"metadata":{"labels":{"a/b":"c"}}})",
            R"({"f:metadata":{"f:labels":{"f:a/b":{}}}})"}}) {
    const FieldSet set = FieldsOf(Sample(), Json::parse(value));
    EXPECT_EQ(Fields(set), fields) << value;
    EXPECT_EQ(ReadFieldSet(Json::parse(fields)), set);
  }
  for (const char* wrong : {R"([])", R"({"x:a":{}})", R"({"f":{}})", R"({"k:1":{}})",
                            R"({"f:a":[]})", R"({"i:x":{}})", R"({"v:[[[[[[1]]]]]]":{}})"}) {
    EXPECT_FALSE(ReadFieldSet(Json::parse(wrong))) << wrong;
  }
}

TEST(FieldSetTest, CombinesPathByPath) {
  const FieldSet a = *ReadFieldSet(Json::parse(R"({"f:a":{".":{},"f:x":{},"f:y":{}},"f:b":{}})"));
  const FieldSet b = *ReadFieldSet(Json::parse(R"({"f:a":{"f:x":{}},"f:c":{}})"));
  EXPECT_EQ(Fields(Union(a, b)), R"({"f:a":{".":{},"f:x":{},"f:y":{}},"f:b":{},"f:c":{}})");
  EXPECT_EQ(Fields(Difference(a, b)), R"({"f:a":{".":{},"f:y":{}},"f:b":{}})");
  EXPECT_EQ(Fields(Difference(b, a)), R"({"f:c":{}})");
  EXPECT_EQ(Fields(Intersection(a, b)), R"({"f:a":{"f:x":{}}})");
  const FieldSet paths = *ReadFieldSet(
      Json::parse(R"({"f:l":{"k:{\"a\":\"x\",\"b\":1}":{".":{},"f:v":{}}},"f:s":{"v:\"y\"":{}}})"));
  EXPECT_EQ(PathTexts(paths),
            (std::vector<std::string>{R"(.l[a="x",b=1])", R"(.l[a="x",b=1].v)", R"(.s[="y"])"}));
}

TEST(FieldSetTest, ComparesBySchema) {
  struct Row {
    const char* before;
    const char* after;
    const char* added;
    const char* removed;
    const char* modified;
  };
  for (const Row& row :
       {Row{R"({"number":1})", R"({"number":2})", "{}", "{}", R"({"f:number":{}})"},
        Row{"{}", R"({"object":{"a":"x"}})", R"({"f:object":{".":{},"f:a":{}}})", "{}", "{}"},
        Row{R"({"object":{"a":"x"}})", "{}", "{}", R"({"f:object":{".":{},"f:a":{}}})", "{}"},
        Row{R"({"atomic":{"a":"x"}})", R"({"atomic":{"b":"x"}})", "{}", "{}", R"({"f:atomic":{}})"},
        Row{R"({"list":[{"name":"a","value":"1"},{"name":"b"}]})",
            R"({"list":[{"name":"b"},{"name":"a","value":"2"}]})", "{}", "{}",
            R"({"f:list":{"k:{\"name\":\"a\"}":{"f:value":{}}}})"},
        Row{R"({"set":["a","b"]})", R"({"set":["b","c"]})", R"({"f:set":{"v:\"c\"":{}}})",
            R"({"f:set":{"v:\"a\"":{}}})", "{}"},
        Row{R"({"object":{}})", R"({"object":{}})", "{}", "{}", "{}"},
        Row{R"({"plain":[1]})", R"({"plain":[1,2]})", "{}", "{}", R"({"f:plain":{}})"},
        Row{R"({"any":{"a":1}})", R"({"any":3})", "{}", "{}", R"({"f:any":{}})"}}) {
    const FieldChanges changes = CompareFields(Sample(), Json::parse(row.before), Json::parse(row.after));
    EXPECT_EQ(Fields(changes.added), row.added) << row.before << row.after;
    EXPECT_EQ(Fields(changes.removed), row.removed) << row.before << row.after;
    EXPECT_EQ(Fields(changes.modified), row.modified) << row.before << row.after;
  }
}

TEST(FieldSetTest, MergesListsInTheOrderOfTheApplied) {
  const auto merged = [](const char* live, const char* applied) {
    std::string names;
    const Json list =
        MergeFields(Sample(), {{"set", Json::parse(live)}}, {{"set", Json::parse(applied)}})["set"];
    for (const Json& name : list) names += name.get<std::string>();
    return names;
  };
  EXPECT_EQ(merged(R"(["a","b"])", R"(["b","c"])"), "abc");
  EXPECT_EQ(merged(R"(["a","x","b"])", R"(["a","b"])"), "axb");
  EXPECT_EQ(merged(R"(["a","b","x"])", R"(["b","a"])"), "bxa");
  EXPECT_EQ(merged(R"(["a","x","b"])", R"(["c","b"])"), "axcb");
  EXPECT_EQ(merged(R"([])", R"(["b","b"])"), "b");
  EXPECT_EQ(MergeFields(Sample(),
                        Json::parse(R"({"number":1,"list":[{"name":"a","value":"1"}],"plain":["x"]})"),
                        Json::parse(R"({"list":[{"name":"b"},{"name":"a"}],"plain":["y"]})")),
            Json::parse(R"({"number":1,"list":[{"name":"b"},{"name":"a","value":"1"}],"plain":["y"]})"));
}

// A world of one object that several managers write to.
class Ownership {
 public:
  // Gives what the conflicts are about; nothing is changed then.
  std::string Apply(const std::string& manager, const char* configuration, bool force = false) {
    AppliedFields applied =
        ApplyFields(By(manager), object_, Json::parse(configuration), entries_, force);
    std::string conflicts;
    for (const FieldConflict& conflict : applied.conflicts)
      conflicts += conflict.manager + " " + conflict.path + ";";
    if (!conflicts.empty()) return conflicts;
    object_ = std::move(applied.object);
    entries_ = std::move(applied.entries);
    return "";
  }
  void Update(const std::string& manager, const char* next) {
    entries_ = TrackUpdate(By(manager), object_.is_null() ? Json::object() : object_, Json::parse(next),
                           std::move(entries_));
    object_ = Json::parse(next);
  }
  void Untracked(const char* object) { object_ = Json::parse(object); }

  void Owns(const std::string& manager, const char* fields) {
    for (ManagedEntry& entry : entries_) {
      if (entry.manager == manager) entry.fields = *ReadFieldSet(Json::parse(fields));
    }
  }

  std::string Owned(const std::string& manager) const {
    for (const ManagedEntry& entry : entries_) {
      if (entry.manager == manager) return entry.operation + " " + Fields(entry.fields);
    }
    return "";
  }
  std::string TimeOf(const std::string& manager) const {
    for (const ManagedEntry& entry : entries_) {
      if (entry.manager == manager) return entry.time;
    }
    return "";
  }
  const Json& object() const { return object_; }
  const ManagedFields& entries() const { return entries_; }

 private:
  FieldWrite By(const std::string& manager) {
    return {.schema = &Sample(),
            .manager = manager,
            .api_version = "v1",
            .time = "2026-01-01T00:00:" + std::to_string(10 + ++second_) + "Z"};
  }

  Json object_;
  ManagedFields entries_;
  int second_ = 0;
};

TEST(ApplyTest, WhatIsNoLongerAppliedGoes) {
  Ownership world;
  world.Apply("a", R"({"number":1,"object":{"a":"x","b":"y"},"metadata":{"labels":{"l":"1"}}})");
  EXPECT_EQ(
      world.Owned("a"),
      R"(Apply {"f:metadata":{"f:labels":{"f:l":{}}},"f:number":{},"f:object":{"f:a":{},"f:b":{}}})");
  world.Apply("a", R"({"object":{"a":"x"}})");
  EXPECT_EQ(world.object(), Json::parse(R"({"object":{"a":"x"}})"));
  world.Apply("a", "{}");
  EXPECT_EQ(world.object(), Json::object());
  EXPECT_TRUE(world.entries().empty());
}

TEST(ApplyTest, ConflictsNameTheOtherManager) {
  Ownership world;
  world.Apply("a", R"({"number":1,"object":{"a":"x"}})");
  world.Update("b", R"({"number":1,"object":{"a":"x","b":"y"},"list":[{"name":"n","value":"v"}]})");
  EXPECT_EQ(
      world.Owned("b"),
      R"(Update {"f:list":{".":{},"k:{\"name\":\"n\"}":{".":{},"f:name":{},"f:value":{}}},"f:object":{"f:b":{}}})");
  EXPECT_EQ(
      world.Apply("c", R"({"number":2,"object":{"b":"z"},"list":[{"name":"n","value":"w"}]})"),
      R"("a" .number;"b" using v1 .list[name="n"].value;"b" using v1 .object.b;)");
  EXPECT_EQ(world.object()["number"], 1);
  EXPECT_EQ(world.Apply("c", R"({"number":2,"object":{"b":"z"}})", true), "");
  EXPECT_EQ(world.object()["number"], 2);
  EXPECT_EQ(world.Owned("a"), R"(Apply {"f:object":{"f:a":{}}})");
  EXPECT_EQ(world.Owned("c"), R"(Apply {"f:number":{},"f:object":{"f:b":{}}})");
}

TEST(ApplyTest, EqualValuesAreOwnedTogether) {
  Ownership world;
  world.Apply("a", R"({"number":1,"set":["x","y"]})");
  EXPECT_EQ(world.Apply("b", R"({"number":1,"set":["y","z"]})"), "");
  world.Apply("a", "{}");
  EXPECT_EQ(world.object(), Json::parse(R"({"number":1,"set":["y","z"]})"));
  world.Apply("b", "{}");
  EXPECT_EQ(world.object(), Json::object());
}

TEST(ApplyTest, OtherVerbsTakeWhatTheyChange) {
  Ownership world;
  world.Apply("a", R"({"number":1,"object":{"a":"x","b":"y"}})");
  world.Update("edit", R"({"number":2,"object":{"a":"x"}})");
  EXPECT_EQ(world.Owned("a"), R"(Apply {"f:object":{"f:a":{}}})");
  EXPECT_EQ(world.Owned("edit"), R"(Update {"f:number":{}})");
  // Given up by its applier, but another's now.
  world.Apply("a", R"({"object":{"a":"x"}})");
  EXPECT_EQ(world.object()["number"], 2);
  EXPECT_EQ(world.Apply("a", R"({"number":1})"), "\"edit\" using v1 .number;");
}

TEST(ApplyTest, PartsOfAGivenUpObjectGoWithItButOthersEntriesOfAMapStay) {
  Ownership world;
  world.Apply("a", R"({"object":{"a":"x"},"metadata":{"labels":{"mine":"1"}}})");
  // Defaults and the platform's own labels belong to nobody.
  Json with_defaults = world.object();
  with_defaults["object"]["b"] = "default";
  with_defaults["metadata"]["labels"]["ours"] = "2";
  world.Untracked(with_defaults.dump().c_str());
  world.Apply("a", R"({"number":1})");
  EXPECT_EQ(world.object(), Json::parse(R"({"number":1,"metadata":{"labels":{"ours":"2"}}})"));
}

TEST(ApplyTest, AMapThatWasMadeWholeKeepsOthersEntries) {
  Ownership world;
  world.Apply("a", R"({"metadata":{"labels":{"mine":"1"}}})");
  Json with_ours = world.object();
  with_ours["metadata"]["labels"]["ours"] = "2";
  world.Untracked(with_ours.dump().c_str());
  // As kubectl hands over what its client-side applies owned: with the map itself.
  world.Owns("a", R"({"f:metadata":{"f:labels":{".":{},"f:mine":{}}}})");
  world.Apply("a", R"({"number":1})");
  EXPECT_EQ(world.object(), Json::parse(R"({"number":1,"metadata":{"labels":{"ours":"2"}}})"));
}

TEST(ApplyTest, ListElementsGoWithTheirOwners) {
  Ownership world;
  world.Apply("a", R"({"list":[{"name":"n","value":"1"},{"name":"m"}]})");
  world.Apply("b", R"({"list":[{"name":"o","value":"2"}]})");
  world.Apply("a", R"({"list":[{"name":"m"}]})");
  EXPECT_EQ(world.object(), Json::parse(R"({"list":[{"name":"m"},{"name":"o","value":"2"}]})"));
}

TEST(ApplyTest, WhatIsUntrackedBelongsToBeforeTheFirstApply) {
  Ownership world;
  world.Untracked(R"({"number":1,"object":{"a":"x"}})");
  EXPECT_EQ(world.Apply("a", R"({"number":2})"), "\"before-first-apply\" using v1 .number;");
  EXPECT_EQ(world.Apply("a", R"({"number":1})"), "");
  EXPECT_EQ(world.Owned("before-first-apply"),
            R"(Update {"f:number":{},"f:object":{".":{},"f:a":{}}})");
}

TEST(ApplyTest, TheSameAgainChangesNothing) {
  Ownership world;
  world.Apply("a", R"({"number":1})");
  const ManagedFields before = world.entries();
  world.Apply("a", R"({"number":1})");
  EXPECT_EQ(world.entries(), before);
  world.Apply("b", R"({"number":1})");
  EXPECT_EQ(world.TimeOf("a"), before[0].time);
  world.Apply("a", R"({"number":1,"plain":["x"]})");
  EXPECT_NE(world.TimeOf("a"), before[0].time);
}

TEST(ApplyTest, KubectlCarriesOnItsClientSideApplies) {
  Ownership world;
  const auto applied = [](const char* annotation, const char* rest) {
    Json object = Json::parse(rest);
    object["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"] =
        annotation;
    return object.dump();
  };
  world.Update("kubectl-client-side-apply",
               applied(R"({"number":1,"plain":["x"]})", R"({"number":1,"plain":["x"]})").c_str());
  EXPECT_EQ(world.Apply("other", R"({"number":2})"),
            "\"kubectl-client-side-apply\" using v1 .number;");
  EXPECT_EQ(world.Apply("kubectl", R"({"number":2})"), "");
  EXPECT_EQ(world.object()["number"], 2);
  EXPECT_EQ(AnnotationOf(world.object(), "kubectl.kubernetes.io/last-applied-configuration"),
            "{\"number\":2}\n");
  // Somebody has changed it since: that is a conflict all the same.
  Json edited = world.object();
  edited["plain"] = {"y"};
  world.Update("edit", edited.dump().c_str());
  EXPECT_EQ(world.Apply("kubectl", R"({"number":2,"plain":["z"]})"), "\"edit\" using v1 .plain;");
}

TEST(ApplyTest, AValueWithoutItsDefaultsIsNoChange) {
  FieldWrite write{.schema = &Sample(), .manager = "b", .api_version = "v1"};
  write.complete = [](Json& object) {
    for (Json& name : object["plain"]) {
      if (name == "") name = "default";
    }
  };
  const Json live = Json::parse(R"({"plain":["default"]})");
  const ManagedFields of_a = {
      {.manager = "a", .operation = "Apply", .fields = *ReadFieldSet(Json::parse(R"({"f:plain":{}})"))}};
  EXPECT_TRUE(ApplyFields(write, live, Json::parse(R"({"plain":[""]})"), of_a, false).conflicts.empty());
  EXPECT_FALSE(
      ApplyFields(write, live, Json::parse(R"({"plain":["x"]})"), of_a, false).conflicts.empty());
  EXPECT_EQ(TrackUpdate(write, live, Json::parse(R"({"plain":[""]})"), of_a), of_a);
}

TEST(ManagedFieldsTest, AreWrittenAsKubernetesWritesThem) {
  Ownership world;
  world.Update("second", R"({"number":1})");
  world.Apply("first", R"({"plain":["x"]})");
  Json object = world.object();
  SetManagedFields(object, world.entries());
  EXPECT_EQ(
      object["metadata"]["managedFields"].dump(),
      R"([{"apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":{"f:plain":{}},"manager":"first",)"
      R"("operation":"Apply","time":"2026-01-01T00:00:12Z"},)"
      R"({"apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":{"f:number":{}},"manager":"second",)"
      R"("operation":"Update","time":"2026-01-01T00:00:11Z"}])");
  EXPECT_EQ(ManagedFieldsOf(object).size(), 2U);
  for (const char* broken :
       {R"({})", R"([{"manager":"a","operation":"Eat","fieldsType":"FieldsV1","fieldsV1":{}}])",
        R"([{"manager":"a","operation":"Apply","fieldsV1":{}}])",
        R"([{"manager":"a","operation":"Apply","fieldsType":"FieldsV1","fieldsV1":{"x":{}}}])"}) {
    EXPECT_FALSE(ReadManagedFields(Json::parse(broken))) << broken;
  }
}

TEST(ManagedFieldsTest, OldUpdatersBecomeOne) {
  Ownership world;
  for (int i = 0; i < 15; ++i) {
    Json next = world.object().is_null() ? Json::object() : world.object();
    next["any"]["f" + std::to_string(i)] = i;
    world.Update("m" + std::to_string(i), next.dump().c_str());
  }
  EXPECT_EQ(world.entries().size(), 10U);
  EXPECT_THAT(world.Owned("ancient-changes"), HasSubstr("f:f5"));
  EXPECT_THAT(world.Owned("m6"), HasSubstr("f:f6"));
}

}  // namespace
}  // namespace updraft::api
