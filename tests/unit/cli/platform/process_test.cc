#include "cli/platform/process.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>

#include "cli/platform/files.h"

namespace updraft::cli {
namespace {

class ProcessTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/updraft-process.XXXXXX";
    folder_ = mkdtemp(name);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  ProcessIdentity Start(const std::string& script) {
    const auto started = Spawn(
        {.argv = {"/bin/sh", "-c", script}, .log_file = folder_ + "/log", .mount_namespace = ""});
    EXPECT_TRUE(started.has_value());
    return *started;
  }

  std::string folder_;
};

TEST_F(ProcessTest, ASpawnedProcessLivesUntilItIsTold) {
  const ProcessIdentity process = Start("exec sleep 100");
  EXPECT_TRUE(IsAlive(process));
  SendSignal(process, SIGKILL);
  EXPECT_TRUE(WaitForEnd(process, 10'000));
  EXPECT_FALSE(IsAlive(process));
  EXPECT_TRUE(Reap(process.pid).has_value());
}

TEST_F(ProcessTest, OutputGoesToTheLog) {
  const ProcessIdentity process = Start("echo out; echo err >&2");
  ASSERT_TRUE(WaitForEnd(process, 10'000));
  Reap(process.pid);
  EXPECT_EQ(*ReadFile(folder_ + "/log"), "out\nerr\n");
}

TEST_F(ProcessTest, APidFileNamesTheProcessAndNotItsSuccessor) {
  const ProcessIdentity process = Start("exec sleep 100");
  const std::string file = folder_ + "/pid";
  ASSERT_TRUE(WritePid(file, process).has_value());
  EXPECT_EQ(ReadPid(file), process);
  // The same pid with another start time is another process.
  ASSERT_TRUE(WritePid(file, {process.pid, process.start_ticks + 1}).has_value());
  EXPECT_EQ(ReadPid(file), std::nullopt);
  SendSignal({process.pid, process.start_ticks + 1}, SIGKILL);
  EXPECT_TRUE(IsAlive(process));
  SendSignal(process, SIGKILL);
  WaitForEnd(process, 10'000);
  Reap(process.pid);
}

TEST_F(ProcessTest, AProgramThatDoesNotExistEndsWith127) {
  const auto started =
      Spawn({.argv = {"/no/such/program"}, .log_file = folder_ + "/log", .mount_namespace = ""});
  ASSERT_TRUE(started.has_value());
  WaitForEnd(*started, 10'000);
  const std::optional<int> status = Reap(started->pid);
  ASSERT_TRUE(status.has_value());
  EXPECT_EQ(WEXITSTATUS(*status), 127);
}

}  // namespace
}  // namespace updraft::cli
