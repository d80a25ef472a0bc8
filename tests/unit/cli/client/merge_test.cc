#include "cli/client/merge.h"

#include <gtest/gtest.h>

#include "core/api/meta.h"
#include "core/api/read.h"

namespace updraft::cli {
namespace {

Json J(std::string_view yaml) { return api::ReadYaml(yaml)->front().value; }

struct Case {
  std::string name;
  std::string original = "{}";
  std::string modified;
  std::string current;
  std::string want;
};

class ThreeWayTest : public testing::TestWithParam<Case> {};

TEST_P(ThreeWayTest, Patch) {
  const Case& c = GetParam();
  const Json original = c.original == "none" ? Json() : J(c.original);
  EXPECT_EQ(ThreeWayMergePatch(original, J(c.modified), J(c.current)), J(c.want));
}

INSTANTIATE_TEST_SUITE_P(
    Table, ThreeWayTest,
    testing::ValuesIn(std::vector<Case>{
        {"NothingToDo", "{a: 1}", "{a: 1}", "{a: 1, b: 2}", "{}"},
        {"AChangedValue", "{a: 1}", "{a: 2}", "{a: 1}", "{a: 2}"},
        {"AValueThatSomeoneElseChanged", "{a: 1}", "{a: 1}", "{a: 5}", "{a: 1}"},
        {"ANewValue", "{}", "{a: 1}", "{}", "{a: 1}"},
        {"AValueNotWrittenAnyMoreIsRemoved", "{a: 1, b: 2}", "{a: 1}", "{a: 1, b: 2}", "{b: null}"},
        {"UnlessItIsGoneAlready", "{a: 1, b: 2}", "{a: 1}", "{a: 1}", "{}"},
        {"WhatOthersAddedStays", "{a: {b: 1}}", "{a: {b: 1}}", "{a: {b: 1, c: 2}, status: {x: 1}}",
         "{}"},
        {"Within", "{a: {b: 1, c: 2}}", "{a: {b: 9}}", "{a: {b: 1, c: 2, d: 3}}",
         "{a: {b: 9, c: null}}"},
        {"ListsAreReplacedWhole", "{a: [1]}", "{a: [1, 2]}", "{a: [1]}", "{a: [1, 2]}"},
        {"AWholeObjectIsRemoved", "{a: {b: 1}}", "{}", "{a: {b: 1, c: 2}}", "{a: null}"},
        {"AnObjectInsteadOfAValue", "{a: 1}", "{a: {b: 1}}", "{a: 1}", "{a: {b: 1}}"},
        {"AnExplicitNullRemoves", "{}", "{a: null}", "{a: 1}", "{a: null}"},
        {"AnExplicitNullOfNothingIsNothing", "{}", "{a: null}", "{}", "{}"},
        {"WithoutWhatWasAppliedNothingIsRemoved", "none", "{a: 1}", "{a: 1, b: 2}", "{}"},
    }),
    [](const auto& test) { return test.param.name; });

TEST(LastAppliedTest, GoesAndComesBackWithoutItself) {
  const Json document =
      J("{kind: A, metadata: {name: x, annotations: {own: '1'}}, spec: {b: [1]}}");
  const Json marked = WithLastApplied(document);
  EXPECT_EQ(api::AnnotationOf(marked, "own"), "1");
  EXPECT_EQ(LastApplied(marked), document);
  EXPECT_EQ(WithLastApplied(marked), marked);
  EXPECT_TRUE(api::AnnotationOf(marked, kLastApplied).ends_with("}\n"));
}

TEST(LastAppliedTest, NonsenseIsNone) {
  EXPECT_TRUE(LastApplied(J("{kind: A}")).is_null());
  EXPECT_TRUE(
      LastApplied(
          J("{metadata: {annotations: {kubectl.kubernetes.io/last-applied-configuration: '{'}}}"))
          .is_null());
}

}  // namespace
}  // namespace updraft::cli
