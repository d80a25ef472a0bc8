#include "node-agent/logs/log_store.h"

#include <gmock/gmock.h>

#include "tests/unit/node-agent/logs/temp_folder.h"

namespace updraft::node_agent {
namespace {

using testing::HasSubstr;

LoggedInstance Instance(const std::string& id,
                        const std::string& revision = "default/hello-00001") {
  return {.instance_id = id,
          .namespace_name = "default",
          .revision = revision,
          .serving_container = "user"};
}

v1::ReadLogsRequest Ask(const std::string& id, const std::string& container = "") {
  v1::ReadLogsRequest request;
  request.set_instance_id(id);
  request.set_container(container);
  return request;
}

class LogStoreTest : public testing::Test {
 protected:
  void Restart() { store_ = std::make_unique<LogStore>(loop_, clock_, options_); }

  // A run of a container that said `text` and ended.
  void RunOnce(const std::string& id, const std::string& container, int restart,
               const std::string& text) {
    const LogFifos fifos{folder_ / ("fifo/" + id + "/out"), folder_ / ("fifo/" + id + "/err")};
    ASSERT_TRUE(MakeLogFifos(fifos));
    auto log = store_->NewLog(id, container, restart);
    ASSERT_TRUE(log);
    ASSERT_TRUE((*log)->Open(fifos));
    std::ofstream(fifos.stdout_path) << text;
    (*log)->Finish(Nanos(0), [] {});  // takes what is there at once; the rest of it is the loop's
  }
  std::string Read(const v1::ReadLogsRequest& request) {
    const auto stream = store_->Read(request);
    if (!stream) return "error: " + stream.error().message;
    return (*stream)->Next(1 << 20);
  }
  bool Exists(const std::string& id) {
    return std::filesystem::exists(folder_ / ("logs/default_" + id));
  }

  TempFolder folder_;
  Loop loop_;
  FakeClock clock_;
  LogStoreOptions options_{.root = folder_ / "logs"};
  std::unique_ptr<LogStore> store_ = std::make_unique<LogStore>(loop_, clock_, options_);
};

TEST_F(LogStoreTest, WritesToItsPlaceAndReadsBack) {
  ASSERT_TRUE(store_->Begin(Instance("i1")));
  RunOnce("i1", "user", 0, "hello\n");
  EXPECT_THAT(ReadFile(folder_ / "logs/default_i1/user/0.log"), HasSubstr(" stdout F hello\n"));
  EXPECT_EQ(Read(Ask("i1")), "hello\n");
  EXPECT_EQ(Read(Ask("i1", "user")), "hello\n");
  EXPECT_GT(store_->counters().bytes_written, 0U);
}

TEST_F(LogStoreTest, SaysWhyThereIsNothingToRead) {
  ASSERT_TRUE(store_->Begin(Instance("i1")));
  EXPECT_EQ(Read(Ask("i2")), "error: no logs of \"i2\" on this node");
  EXPECT_EQ(Read(Ask("i1")), "error: container \"user\" in pod \"i1\" is waiting to start");
  EXPECT_EQ(store_->Read(Ask("i1")).error().code, Code::kFailedPrecondition);
  v1::ReadLogsRequest previous = Ask("i1");
  previous.set_previous(true);
  EXPECT_EQ(Read(previous),
            "error: previous terminated container \"user\" in pod \"i1\" not found");
  EXPECT_EQ(store_->Read(Ask("i1", "../i2")).error().code, Code::kInvalidArgument);
}

TEST_F(LogStoreTest, NamesThatWouldLeaveTheFolderAreRefused) {
  EXPECT_FALSE(store_->Begin(Instance("..")));
  EXPECT_FALSE(store_->Begin(Instance("a/b")));
  ASSERT_TRUE(store_->Begin(Instance("i1")));
  EXPECT_FALSE(store_->NewLog("i1", "../x", 0));
  EXPECT_FALSE(store_->NewLog("unknown", "user", 0));
}

TEST_F(LogStoreTest, KeepsThePreviousRunAndNoOlder) {
  ASSERT_TRUE(store_->Begin(Instance("i1")));
  for (int restart = 0; restart < 3; ++restart)
    RunOnce("i1", "user", restart, "run " + std::to_string(restart) + "\n");
  v1::ReadLogsRequest previous = Ask("i1");
  previous.set_previous(true);
  EXPECT_EQ(Read(previous), "run 1\n");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "logs/default_i1/user/0.log"));
}

TEST_F(LogStoreTest, ACrashedInstancesLogCanBeReadAfterItsEnd) {
  ASSERT_TRUE(store_->Begin(Instance("i1")));
  RunOnce("i1", "user", 0, "panic: no\n");
  store_->End("i1");
  EXPECT_EQ(Read(Ask("i1")), "panic: no\n");
  EXPECT_EQ(store_->TerminationMessage("i1", "user", 0), "panic: no\n");
}

TEST_F(LogStoreTest, ARestartedAgentServesWhatItFinds) {
  ASSERT_TRUE(store_->Begin(Instance("over")));
  RunOnce("over", "user", 0, "old\n");
  store_->End("over");
  ASSERT_TRUE(store_->Begin(Instance("lives")));
  RunOnce("lives", "user", 0, "one\n");
  Restart();
  ASSERT_TRUE(store_->Begin(Instance("lives")));
  store_->AdoptionDone();
  EXPECT_EQ(Read(Ask("over")), "old\n");
  RunOnce("lives", "user", 0, "two\n");
  EXPECT_EQ(Read(Ask("lives")), "one\ntwo\n");
}

TEST_F(LogStoreTest, WhatWasNotAdoptedIsOverAndDeletedInTime) {
  ASSERT_TRUE(store_->Begin(Instance("lost")));
  RunOnce("lost", "user", 0, "x\n");
  Restart();
  store_->AdoptionDone();
  EXPECT_TRUE(Exists("lost"));
  clock_.Advance(std::chrono::hours(2));
  store_->AdoptionDone();
  EXPECT_FALSE(Exists("lost"));
}

TEST_F(LogStoreTest, EachRevisionKeepsItsLastInstances) {
  options_.retention.per_revision_max = 2;
  Restart();
  for (const char* id : {"i1", "i2", "i3"}) {
    ASSERT_TRUE(store_->Begin(Instance(id)));
    store_->End(id);
    clock_.Advance(Seconds(1));
  }
  store_->AdoptionDone();
  EXPECT_FALSE(Exists("i1"));
  EXPECT_TRUE(Exists("i2"));
  EXPECT_TRUE(Exists("i3"));
}

TEST_F(LogStoreTest, AFolderWithoutARecordIsJudgedByItsName) {
  std::filesystem::create_directories(folder_ / "logs/default_i7/user");
  std::ofstream(folder_ / "logs/default_i7/user/0.log") << Record(1, "x");
  std::filesystem::create_directories(folder_ / "logs/lost+found");
  Restart();
  EXPECT_EQ(Read(Ask("i7", "user")), "x\n");
}

TEST_F(LogStoreTest, FollowersOfAnInstanceThatEndsAreAtTheEnd) {
  ASSERT_TRUE(store_->Begin(Instance("i1")));
  RunOnce("i1", "user", 0, "x\n");
  v1::ReadLogsRequest request = Ask("i1");
  request.set_follow(true);
  const auto stream = store_->Read(request);
  ASSERT_TRUE(stream);
  EXPECT_EQ((*stream)->Next(100), "x\n");
  EXPECT_EQ((*stream)->Next(100), "");
  EXPECT_FALSE((*stream)->AtEnd());
  store_->End("i1");
  EXPECT_EQ((*stream)->Next(100), "");
  EXPECT_TRUE((*stream)->AtEnd());
}

}  // namespace
}  // namespace updraft::node_agent
