#include "node-agent/instance/instance_host.h"

#include <gmock/gmock.h>

#include "node-agent/instance/run_record.h"
#include "tests/unit/node-agent/instance/fake_world.h"

namespace updraft::node_agent {
namespace {

using InstanceHostTest = FakeWorld;

TEST_F(InstanceHostTest, StartsAndStopsAndLeavesNothing) {
  Start(Spec("hello-1"));
  AwaitPhase("hello-1", v1::INSTANCE_READY);
  Stop("hello-1");
  AwaitPhase("hello-1", v1::INSTANCE_STOPPED);
  ExpectNothingLeft();
}

TEST_F(InstanceHostTest, StartingAgainChangesNothing) {
  Start(Spec("hello-1"));
  AwaitPhase("hello-1", v1::INSTANCE_READY);
  Start(Spec("hello-1"));
  On([](Parts* parts) {
    EXPECT_EQ(parts->runtime->calls("create task"), 1);
    EXPECT_EQ(parts->host.Inventory().instances_size(), 1);
  });
}

TEST_F(InstanceHostTest, OneThatIsNotKnownHasStopped) {
  Stop("ghost-1");
  AwaitPhase("ghost-1", v1::INSTANCE_STOPPED);
}

TEST_F(InstanceHostTest, ASpecThatCannotRunHasFailed) {
  v1::InstanceSpec spec = Spec("bad-1");
  spec.set_serving_container("nobody");
  Start(spec);
  EXPECT_EQ(AwaitPhase("bad-1", v1::INSTANCE_FAILED).failure().reason(), "CreateContainerConfigError");
}

TEST_F(InstanceHostTest, CreatesAFewAtATime) {
  On([](Parts* parts) { parts->runtime->Hold("start"); });
  for (int i = 0; i < 6; ++i) Start(Spec("many-" + std::to_string(i)));
  On([](Parts* parts) { parts->runtime->Release("start"); });
  for (int i = 0; i < 6; ++i) AwaitPhase("many-" + std::to_string(i), v1::INSTANCE_READY);
  On([](Parts* parts) { EXPECT_EQ(parts->runtime->creating_most(), 2u); });
}

TEST_F(InstanceHostTest, ACreateWhoseAnswerWasLostIsCleanedUpAndMadeAgain) {
  On([](Parts* parts) {
    parts->runtime->FailNext("create task", {.error = {Code::kDeadlineExceeded, "no answer"}, .happens = true});
  });
  Start(Spec("hello-1"));
  const v1::InstanceReport ready = AwaitPhase("hello-1", v1::INSTANCE_READY);
  EXPECT_EQ(ready.containers(0).restart_count(), 0);  // nobody's fault
  On([](Parts* parts) {
    EXPECT_EQ(parts->runtime->containers().size(), 1u);
    EXPECT_TRUE(parts->runtime->containers().contains("hello-1.0-1"));
  });
  Stop("hello-1");
  AwaitPhase("hello-1", v1::INSTANCE_STOPPED);
  ExpectNothingLeft();
}

TEST_F(InstanceHostTest, RemainsThatAreInTheWayAreRemoved) {
  On([](Parts* parts) {
    parts->runtime->CreateContainer({.id = "hello-1.0-0"}, [](const Status&) {});
  });
  Start(Spec("hello-1"));
  AwaitPhase("hello-1", v1::INSTANCE_READY);
}

TEST_F(InstanceHostTest, AnImageWhoseSnapshotIsGoneIsFetchedAgain) {
  On([](Parts* parts) { parts->runtime->FailNext("prepare", {.error = {Code::kNotFound, "no parent"}}); });
  Start(Spec("hello-1"));
  AwaitPhase("hello-1", v1::INSTANCE_READY);
  On([](Parts* parts) {
    EXPECT_EQ(parts->images.forgotten, 1);
    EXPECT_GE(parts->images.ensured, 2);
  });
}

TEST_F(InstanceHostTest, AnImageThatCannotBeHadIsSaidInWords) {
  On([](Parts* parts) { parts->images.error = Error{Code::kNotFound, "no such tag"}; });
  Start(Spec("hello-1"));
  const v1::InstanceReport failed = Await("hello-1", [](const auto& report) { return report.has_failure(); });
  EXPECT_EQ(failed.phase(), v1::INSTANCE_PENDING);
  EXPECT_EQ(failed.failure().reason(), "ErrImagePull");
  EXPECT_EQ(failed.failure().message(), "no such tag");
  AwaitPhase("hello-1", v1::INSTANCE_READY);
}

TEST_F(InstanceHostTest, RemovalIsTriedUntilItSucceeds) {
  Start(Spec("hello-1"));
  AwaitPhase("hello-1", v1::INSTANCE_READY);
  On([](Parts* parts) {
    parts->runtime->FailNext("remove task", {.error = {Code::kUnavailable, "away"}});
    parts->runtime->FailNext("remove snapshot", {.error = {Code::kInternal, "busy"}});
    parts->runtime->FailNext("remove container", {.error = {Code::kDeadlineExceeded, "slow"}, .happens = true});
  });
  Stop("hello-1");
  AwaitPhase("hello-1", v1::INSTANCE_STOPPED);
  ExpectNothingLeft();
}

TEST_F(InstanceHostTest, AStopDuringEachStepOfAStartLeavesNothing) {
  for (const std::string step : {"prepare", "create", "create task", "start"}) {
    const std::string id = "hasty-" + std::to_string(step.size());
    On([&step](Parts* parts) { parts->runtime->Hold(step); });
    Start(Spec(id));
    Stop(id);
    On([&step](Parts* parts) { parts->runtime->Release(step); });
    AwaitPhase(id, v1::INSTANCE_STOPPED);
    ExpectNothingLeft();
  }
}

TEST_F(InstanceHostTest, ACrashIsReportedWithItsLastWords) {
  Start(Spec("hello-1"));
  AwaitPhase("hello-1", v1::INSTANCE_READY);
  On([](Parts* parts) { parts->runtime->EndTask("hello-1.0-0", 3); });
  const v1::InstanceReport again = Await("hello-1", [](const v1::InstanceReport& report) {
    return report.phase() == v1::INSTANCE_READY && report.containers(0).restart_count() == 1;
  });
  EXPECT_EQ(again.containers(0).last_termination().exit_code(), 3);
  EXPECT_EQ(again.containers(0).last_termination().message(), "last words");
  On([](Parts* parts) { parts->runtime->EndTask("hello-1.0-1", 3); });
  EXPECT_EQ(AwaitPhase("hello-1", v1::INSTANCE_BACKOFF).failure().reason(), "CrashLoopBackOff");
  AwaitPhase("hello-1", v1::INSTANCE_READY);  // after its back-off
}

TEST_F(InstanceHostTest, AnEndThatWasNotHeardIsFoundWhenTheRuntimeIsBack) {
  Start(Spec("hello-1"));
  Start(Spec("hello-2"));
  AwaitPhase("hello-1", v1::INSTANCE_READY);
  AwaitPhase("hello-2", v1::INSTANCE_READY);
  On([](Parts* parts) {
    parts->runtime->Disconnect();
    parts->runtime->EndTask("hello-1.0-0", 4);
    parts->runtime->tasks().erase("hello-2.0-0");
  });
  On([](Parts* parts) { parts->runtime->Connect(); });
  for (const auto& [id, code] : {std::pair("hello-1", 4), std::pair("hello-2", 255)}) {
    const v1::InstanceReport again = Await(id, [](const v1::InstanceReport& report) {
      return report.phase() == v1::INSTANCE_READY && report.containers(0).restart_count() == 1;
    });
    EXPECT_EQ(again.containers(0).last_termination().exit_code(), code);
  }
}

TEST_F(InstanceHostTest, WhatTheRuntimeHoldsAndNobodyOwnsIsRemovedWhenItIsBack) {
  On([](Parts* parts) {
    parts->runtime->CreateContainer({.id = "stray"}, [](const Status&) {});
    parts->runtime->Disconnect();
    parts->runtime->Connect();
  });
  Start(Spec("hello-1"));
  AwaitPhase("hello-1", v1::INSTANCE_READY);
  On([](Parts* parts) { EXPECT_FALSE(parts->runtime->containers().contains("stray")); });
}

TEST_F(InstanceHostTest, AnotherAgentTakesUpWhatRuns) {
  Start(Spec("hello-1"));
  AwaitPhase("hello-1", v1::INSTANCE_READY);
  Restart();
  On([](Parts* parts) {
    const v1::InstanceInventory inventory = parts->host.Inventory();
    ASSERT_EQ(inventory.instances_size(), 1);
    EXPECT_EQ(inventory.instances(0).phase(), v1::INSTANCE_READY);
    EXPECT_EQ(inventory.instances(0).spec().revision(), "hello-00001");
    EXPECT_EQ(parts->runtime->calls("create task"), 1);
  });
  Stop("hello-1");
  AwaitPhase("hello-1", v1::INSTANCE_STOPPED);
  ExpectNothingLeft();
}

TEST_F(InstanceHostTest, OneWhoseNetworkIsGoneIsRemoved) {
  Start(Spec("hello-1"));
  AwaitPhase("hello-1", v1::INSTANCE_READY);
  Restart([](Parts* parts) { parts->networks.lost.insert("hello-1"); });
  On([](Parts* parts) { EXPECT_EQ(parts->host.Inventory().instances_size(), 0); });
  // The controller, which does not find it in the inventory, asks for it again; its remains are no obstacle.
  Start(Spec("hello-1"));
  AwaitPhase("hello-1", v1::INSTANCE_READY);
  Stop("hello-1");
  AwaitPhase("hello-1", v1::INSTANCE_STOPPED);
  ExpectNothingLeft();
}

TEST_F(InstanceHostTest, OneThatWasStoppingIsStoppedAgainByTheController) {
  On([](Parts* parts) { parts->runtime->set_ignore_sigterm(true); });
  Start(Spec("hello-1"));
  AwaitPhase("hello-1", v1::INSTANCE_READY);
  Stop("hello-1", Seconds(100));
  AwaitPhase("hello-1", v1::INSTANCE_STOPPING);
  Restart();
  Stop("hello-1", Millis(1));
  EXPECT_EQ(AwaitPhase("hello-1", v1::INSTANCE_STOPPED).containers(0).last_termination().signal(), 9);
  ExpectNothingLeft();
}

TEST_F(InstanceHostTest, StopAllIsDoneWhenNothingIsLeft) {
  Start(Spec("hello-1"));
  Start(Spec("hello-2"));
  AwaitPhase("hello-1", v1::INSTANCE_READY);
  std::promise<int> stopped;
  On([&stopped](Parts* parts) { parts->host.StopAll(Seconds(1), [&stopped](int count) { stopped.set_value(count); }); });
  EXPECT_EQ(stopped.get_future().get(), 2);
  ExpectNothingLeft();
  Start(Spec("hello-3"));
  AwaitPhase("hello-3", v1::INSTANCE_FAILED);
}

// ---- commands in containers

TEST_F(InstanceHostTest, ACommandRunsAsTheContainersProcessDoes) {
  std::promise<Result<ExecRunner::Outcome>> outcome;
  std::unique_ptr<ProbeAttempt> attempt;
  On([&outcome, &attempt](Parts* parts) {
    parts->execs.Register("c", R"({"process":{"args":["/app"],"cwd":"/work","env":["A=b"]}})");
    attempt = parts->execs.Run({.container_id = "c", .command = {"check", "it"}}, Seconds(10),
                               [&outcome](auto result) { outcome.set_value(std::move(result)); });
  });
  On([](Parts* parts) {
    ASSERT_EQ(parts->runtime->execs().size(), 1u);
    const auto process = nlohmann::json::parse(parts->runtime->execs()[0].process);
    EXPECT_EQ(process, nlohmann::json::parse(R"({"args":["check","it"],"cwd":"/work","env":["A=b"]})"));
    parts->execs.OnExit({.container_id = "c", .exec_id = parts->runtime->execs()[0].exec_id, .exit_status = 7});
  });
  const auto result = outcome.get_future().get();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->exit_code, 7);
  On([&attempt](Parts*) { attempt.reset(); });
}

TEST_F(InstanceHostTest, ACommandThatTakesTooLongIsKilled) {
  std::promise<Result<ExecRunner::Outcome>> outcome;
  std::unique_ptr<ProbeAttempt> attempt;
  On([&outcome, &attempt](Parts* parts) {
    parts->execs.Register("c", R"({"process":{}})");
    attempt = parts->execs.Run({.container_id = "c", .command = {"sleep"}}, Millis(10),
                               [&outcome](auto result) { outcome.set_value(std::move(result)); });
  });
  EXPECT_EQ(outcome.get_future().get().error().code, Code::kDeadlineExceeded);
  On([&attempt](Parts* parts) {
    EXPECT_EQ(parts->runtime->calls("kill exec"), 1);
    attempt.reset();
  });
}

TEST_F(InstanceHostTest, ACommandThatNobodyWaitsForIsKilled) {
  On([](Parts* parts) {
    parts->execs.Register("c", R"({"process":{}})");
    const auto attempt = parts->execs.Run({.container_id = "c", .command = {"sleep"}}, Seconds(10),
                                          [](const auto&) { ADD_FAILURE() << "nobody waits"; });
  });
  On([](Parts* parts) { EXPECT_EQ(parts->runtime->calls("kill exec"), 1); });
}

TEST_F(InstanceHostTest, ACommandInAContainerThatIsGoneIsNotRun) {
  std::promise<Result<ExecRunner::Outcome>> outcome;
  std::unique_ptr<ProbeAttempt> attempt;
  On([&outcome, &attempt](Parts* parts) {
    attempt = parts->execs.Run({.container_id = "gone", .command = {"x"}}, Seconds(10),
                               [&outcome](auto result) { outcome.set_value(std::move(result)); });
  });
  EXPECT_EQ(outcome.get_future().get().error().code, Code::kNotFound);
  On([&attempt](Parts*) { attempt.reset(); });
}

}  // namespace
}  // namespace updraft::node_agent
