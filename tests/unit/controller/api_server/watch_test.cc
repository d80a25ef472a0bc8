// Which watches begin where, and what they see.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/api_server/selection.h"
#include "controller/api_server/watch_filter.h"
#include "core/api/meta.h"

namespace updraft::controller {
namespace {

RequestOptions Options(std::string_view query) { return *ParseOptions(query); }

std::string Plan(std::string_view query) {
  const auto start = PlanWatch(Options(query), 50);
  if (!start) return std::to_string(start.error().code);
  return std::string(start->initial_events ? "initial " : "") +
         (start->initial_bookmark ? "bookmark " : "") + "after " + std::to_string(start->after);
}

TEST(PlanWatchTest, FollowsKubernetesTable) {
  EXPECT_EQ(Plan(""), "initial after 50");
  EXPECT_EQ(Plan("resourceVersion=0"), "initial after 50");
  EXPECT_EQ(Plan("resourceVersion=20"), "after 20");
  EXPECT_EQ(Plan("resourceVersion=x"), "400");
  EXPECT_EQ(
      Plan("sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"),
      "initial bookmark after 50");
  EXPECT_EQ(Plan("sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks="
                 "true&resourceVersion=20"),
            "initial bookmark after 50");
  EXPECT_EQ(Plan("sendInitialEvents=true&resourceVersionMatch=NotOlderThan&resourceVersion=99"),
            "504");
  EXPECT_EQ(Plan("sendInitialEvents=false&resourceVersionMatch=NotOlderThan&resourceVersion=20"),
            "after 20");
  EXPECT_EQ(Plan("sendInitialEvents=false&resourceVersionMatch=NotOlderThan"), "after 50");
  EXPECT_EQ(Plan("sendInitialEvents=true"), "422");
  EXPECT_EQ(Plan("resourceVersionMatch=NotOlderThan"), "422");
}

std::shared_ptr<const Json> Object(const std::string& app, const std::string& version) {
  return std::make_shared<Json>(Json{
      {"metadata", {{"name", "a"}, {"labels", {{"app", app}}}, {"resourceVersion", version}}}});
}

std::string See(const Change& change) {
  const Selection selection =
      *ParseSelection(*api::FindByUserName("cm"), Options("labelSelector=app%3Dx"));
  const auto event = Select(selection, change);
  if (!event) return "nothing";
  return std::string(event->type) + " " + api::LabelOf(*event->object, "app") + "@" +
         api::ResourceVersionOf(*event->object);
}

TEST(SelectTest, ObjectsComeAndGoWithTheirLabels) {
  using Type = Change::Type;
  EXPECT_EQ(See({.type = Type::kAdded, .object = Object("x", "2"), .previous = nullptr}),
            "ADDED x@2");
  EXPECT_EQ(See({.type = Type::kAdded, .object = Object("y", "2"), .previous = nullptr}),
            "nothing");
  EXPECT_EQ(
      See({.type = Type::kModified, .object = Object("x", "3"), .previous = Object("x", "2")}),
      "MODIFIED x@3");
  EXPECT_EQ(
      See({.type = Type::kModified, .object = Object("x", "3"), .previous = Object("y", "2")}),
      "ADDED x@3");
  EXPECT_EQ(
      See({.type = Type::kModified, .object = Object("y", "3"), .previous = Object("x", "2")}),
      "DELETED x@3");
  EXPECT_EQ(
      See({.type = Type::kModified, .object = Object("y", "3"), .previous = Object("z", "2")}),
      "nothing");
  EXPECT_EQ(See({.type = Type::kDeleted, .object = Object("x", "4"), .previous = Object("x", "3")}),
            "DELETED x@4");
  EXPECT_EQ(See({.type = Type::kDeleted, .object = Object("y", "4"), .previous = Object("y", "3")}),
            "nothing");
}

}  // namespace
}  // namespace updraft::controller
