#include "node-agent/instance/run_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

namespace updraft::node_agent {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

v1::InstanceSpec Spec(const std::string& id) {
  v1::InstanceSpec spec;
  spec.set_instance_id(id);
  spec.set_namespace_("default");
  spec.set_revision("hello-00001");
  spec.set_serving_container("user");
  v1::Container& container = *spec.add_containers();
  container.set_name("user");
  container.set_image("img");
  return spec;
}

ContainerRecord Record(const std::string& id, RunId run) {
  const InstanceMachine machine(std::make_shared<v1::InstanceSpec>(Spec(id)));
  return RecordOf(machine, run, 3);
}

TEST(RunRecordTest, NamesAreWhatContainerdTakes) {
  const std::regex identifier("^[A-Za-z0-9]+(?:[._-](?:[A-Za-z0-9]+))*$");
  for (const std::string& id : {std::string("hello-00001-abc"), std::string("two--hyphens"), std::string(63, 'a'),
                                std::string(200, 'b')}) {
    const std::string name = ContainerIdOf(id, {12, 34});
    EXPECT_TRUE(std::regex_match(name, identifier)) << name;
    EXPECT_LE(name.size(), 76u);
    EXPECT_EQ(PrefixOfContainer(name), ContainerPrefixOf(id));
  }
  EXPECT_EQ(ContainerIdOf("hello-1", {0, 2}), "hello-1.0-2");
}

TEST(RunRecordTest, WhatIsWrittenIsReadAgain) {
  ContainerRecord record = Record("hello-1", {0, 3});
  record.labels[kReadyLabel] = "true";
  record.created_at = FromUnixNanos(42);
  const AdoptionPlan plan = PlanAdoption({.containers = {record},
                                          .tasks = {{.container_id = record.id, .status = TaskStatus::kRunning}},
                                          .snapshots = {record.id}});
  ASSERT_EQ(plan.instances.size(), 1u);
  EXPECT_EQ(plan.instances[0].spec->revision(), "hello-00001");
  ASSERT_EQ(plan.instances[0].containers.size(), 1u);
  const AdoptedContainer& container = plan.instances[0].containers[0];
  EXPECT_EQ(container.run, 3);
  EXPECT_TRUE(container.running);
  EXPECT_TRUE(container.was_ready);
  EXPECT_EQ(container.started, FromUnixNanos(42));
  EXPECT_EQ(StopSignalOf(record), 3);
  EXPECT_EQ(StopSignalOf({.id = "older"}), 15);
  EXPECT_THAT(plan.remove_containers, IsEmpty());
  EXPECT_THAT(plan.remove_snapshots, IsEmpty());
}

// One that has ended while nobody looked: its end is told like any other.
TEST(RunRecordTest, OnlyATaskThatWasStartedRuns) {
  for (const auto& [status, running] : std::vector<std::pair<TaskStatus, bool>>{{TaskStatus::kRunning, true},
                                                                                {TaskStatus::kPaused, true},
                                                                                {TaskStatus::kUnknown, true},
                                                                                {TaskStatus::kCreated, false},
                                                                                {TaskStatus::kStopped, true}}) {
    const ContainerRecord record = Record("hello-1", {0, 0});
    const AdoptionPlan plan =
        PlanAdoption({.containers = {record}, .tasks = {{.container_id = record.id, .status = status}}, .snapshots = {}});
    EXPECT_EQ(plan.instances.at(0).containers.at(0).running, running);
  }
  const AdoptionPlan without = PlanAdoption({.containers = {Record("hello-1", {0, 0})}, .tasks = {}, .snapshots = {}});
  EXPECT_FALSE(without.instances.at(0).containers.at(0).running);
}

TEST(RunRecordTest, TheLatestRunCounts) {
  const AdoptionPlan plan = PlanAdoption(
      {.containers = {Record("hello-1", {0, 1}), Record("hello-1", {0, 3}), Record("hello-1", {0, 2})}, .tasks = {}, .snapshots = {}});
  ASSERT_EQ(plan.instances.size(), 1u);
  EXPECT_EQ(plan.instances[0].containers[0].run, 3);
  EXPECT_THAT(plan.remove_containers, UnorderedElementsAre("hello-1.0-1", "hello-1.0-2"));
}

TEST(RunRecordTest, WhatIsNotUnderstoodIsRemoved) {
  ContainerRecord foreign{.id = "foreign"};
  ContainerRecord torn = Record("hello-1", {0, 0});
  torn.extensions.clear();
  ContainerRecord garbled = Record("hello-2", {0, 0});
  garbled.extensions["updraft.dev/spec"] = "garbage";
  const AdoptionPlan plan =
      PlanAdoption({.containers = {foreign, torn, garbled}, .tasks = {}, .snapshots = {"alone", "foreign"}});
  EXPECT_THAT(plan.instances, IsEmpty());
  EXPECT_THAT(plan.remove_containers, UnorderedElementsAre("foreign", "hello-1.0-0", "hello-2.0-0"));
  EXPECT_THAT(plan.remove_snapshots, ElementsAre("alone"));
}

}  // namespace
}  // namespace updraft::node_agent
