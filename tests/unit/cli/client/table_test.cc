#include "cli/client/table.h"

#include <gtest/gtest.h>

namespace updraft::cli {
namespace {

const Json kTable = Json::parse(R"({
  "columnDefinitions": [{"name": "Name"}, {"name": "Ready"}, {"name": "Node", "priority": 1}],
  "rows": [{"cells": ["hello", "True", "n1"], "object": {"metadata": {"namespace": "default"}}},
           {"cells": ["a-longer-name", null, "n2"], "object": {"metadata": {"namespace": "shop"}}}]})");

TEST(TableTest, AsKubectlPrintsIt) {
  EXPECT_EQ(FormatTable(RowsOf(kTable, {})),
            "NAME            READY\n"
            "hello           True\n"
            "a-longer-name   \n");
}

TEST(TableTest, WideWithNamespacesAndWithoutHeaders) {
  EXPECT_EQ(FormatTable(RowsOf(kTable, {.wide = true, .namespaces = true, .headers = false})),
            "default   hello           True   n1\n"
            "shop      a-longer-name          n2\n");
}

TEST(TableTest, KindsBeforeNames) {
  EXPECT_EQ(RowsOf(kTable, {.name_prefix = "pod/"})[1][0], "pod/hello");
}

TEST(TableTest, ShortColumnsAreSixWide) { EXPECT_EQ(FormatTable({{"a", "b"}}), "a     b\n"); }

TEST(TableTest, OnlyTheFirstLineOfACell) {
  const Json table = {{"columnDefinitions", {{{"name", "A"}}}},
                      {"rows", {{{"cells", {"one\ntwo"}}}}}};
  EXPECT_EQ(RowsOf(table, {})[1][0], "one");
}

TEST(TableTest, NoTableNoRows) { EXPECT_EQ(RowsOf(Json(), {.headers = false}).size(), 0U); }

}  // namespace
}  // namespace updraft::cli
