#include "node-agent/logs/container_log.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <sys/stat.h>

#include "tests/unit/node-agent/logs/temp_folder.h"

namespace updraft::node_agent {
namespace {

// "T " stands for the fake clock's time.
std::string Lines(std::initializer_list<std::string> records) {
  std::string text;
  for (const std::string& record : records)
    text += FormatLogTime(FakeClock().Wall()) + " " + record + "\n";
  return text;
}

class ContainerLogTest : public testing::Test {
 protected:
  ContainerLogTest() { EXPECT_TRUE(MakeLogFifos(fifos_)); }

  std::unique_ptr<ContainerLog> Open(ContainerLogOptions options = {}) {
    auto log = std::make_unique<ContainerLog>(loop_, clock_, options, counters_, path_, [this] {
      if (ReadFile(path_).find(until_) != std::string::npos && !until_.empty()) loop_.Stop();
    });
    EXPECT_TRUE(log->Open(fifos_));
    return log;
  }

  // What the shim holds.
  UniqueFd Writer(const std::string& path) {
    UniqueFd fd(open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
    EXPECT_TRUE(fd) << strerror(errno);
    return fd;
  }
  void Say(const UniqueFd& fd, std::string_view text) {
    EXPECT_EQ(write(fd.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }

  // Runs the loop until the log has `text`.
  void RunUntil(std::string text) {
    until_ = std::move(text);
    Run();
  }
  void Run() {
    const Loop::TimerId guard = loop_.At(RealClock().Now() + Seconds(10), [this] {
      ADD_FAILURE() << "nothing happened; the log is:\n" << ReadFile(path_);
      loop_.Stop();
    });
    loop_.Run();
    loop_.Cancel(guard);
  }
  void Finish(ContainerLog& log, Nanos patience = Seconds(5)) {
    bool within = true;
    log.Finish(patience, [this, &within] {
      EXPECT_FALSE(within) << "told from within Finish()";
      loop_.Stop();
    });
    within = false;
    Run();
  }

  TempFolder folder_;
  Loop loop_;
  FakeClock clock_;
  LogCounters counters_;
  const LogFifos fifos_{folder_ / "fifo/c1/stdout", folder_ / "fifo/c1/stderr"};
  const std::string path_ = folder_ / "logs/0.log";
  std::string until_;
};

TEST_F(ContainerLogTest, WritesBothStreams) {
  const auto log = Open();
  const UniqueFd out = Writer(fifos_.stdout_path);
  const UniqueFd err = Writer(fifos_.stderr_path);
  Say(out, "one\n");
  Say(err, "two\n");
  loop_.After(Nanos(0), [&] { Say(out, "three\n"); });
  RunUntil("three\n");
  EXPECT_EQ(ReadFile(path_), Lines({"stdout F one", "stderr F two", "stdout F three"}));
}

TEST_F(ContainerLogTest, AContainerThatSaysNothingHasAnEmptyLog) {
  const auto log = Open();
  EXPECT_TRUE(std::filesystem::exists(path_));
}

TEST_F(ContainerLogTest, TheEndOfTheStreamEndsTheLastLine) {
  const auto log = Open();
  UniqueFd out = Writer(fifos_.stdout_path);
  Writer(fifos_.stderr_path);
  Say(out, "one\ntwo");
  out.Reset();
  Finish(*log);
  EXPECT_EQ(ReadFile(path_), Lines({"stdout F one", "stdout F two"}));
}

TEST_F(ContainerLogTest, FinishTakesTheFifosAway) {
  const auto log = Open();
  Finish(*log);
  EXPECT_FALSE(std::filesystem::exists(fifos_.stdout_path));
  EXPECT_FALSE(std::filesystem::exists(fifos_.stderr_path));
}

TEST_F(ContainerLogTest, FinishWaitsForWhatTheShimStillHas) {
  const auto log = Open();
  UniqueFd out = Writer(fifos_.stdout_path);
  loop_.After(Millis(1), [&] { Say(out, "last words\n"); });
  loop_.After(Millis(2), [&] { out.Reset(); });
  Finish(*log);
  EXPECT_EQ(ReadFile(path_), Lines({"stdout F last words"}));
}

TEST_F(ContainerLogTest, FinishDoesNotWaitForEver) {
  const auto log = Open();
  const UniqueFd out = Writer(fifos_.stdout_path);
  Say(out, "one\n");
  Finish(*log, Millis(5));
  EXPECT_EQ(ReadFile(path_), Lines({"stdout F one"}));
}

TEST_F(ContainerLogTest, MayBeDestroyedWhenItHasFinished) {
  auto log = Open();
  log->Finish(Seconds(5), [&] {
    log.reset();
    loop_.Stop();
  });
  Run();
}

TEST_F(ContainerLogTest, ALineWithoutAnEndIsShownAfterAWhile) {
  const auto log = Open({.unfinished_line_after = Millis(2)});
  const UniqueFd out = Writer(fifos_.stdout_path);
  Say(out, "password: ");
  RunUntil("password: ");
  EXPECT_EQ(ReadFile(path_), Lines({"stdout P password: "}));
}

TEST_F(ContainerLogTest, ALongLineIsCutIntoPieces) {
  const auto log = Open({.record_bytes_max = 8});
  const UniqueFd out = Writer(fifos_.stdout_path);
  Say(out, "12345678abcdefgh!\n");
  RunUntil("!\n");
  EXPECT_EQ(ReadFile(path_), Lines({"stdout P 12345678", "stdout P abcdefgh", "stdout F !"}));
}

TEST_F(ContainerLogTest, WhatIsWrittenWhileNoAgentRunsIsReadByTheNext) {
  auto log = Open();
  const UniqueFd keeps_open(
      open(fifos_.stdout_path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));  // as the shim does
  const UniqueFd out = Writer(fifos_.stdout_path);
  Say(out, "before\n");
  loop_.After(Millis(1), [&] {
    log.reset();
    Say(out, "between\n");
    log = Open();
    Say(out, "after\n");
  });
  RunUntil("after\n");
  EXPECT_EQ(ReadFile(path_), Lines({"stdout F before", "stdout F between", "stdout F after"}));
}

TEST_F(ContainerLogTest, AnAgentThatStopsWritesTheBeginningOfALine) {
  auto log = Open();
  const UniqueFd out = Writer(fifos_.stdout_path);
  Say(out, "x\nbegin");
  loop_.After(Millis(5), [&] {
    log.reset();
    loop_.Stop();
  });
  Run();
  EXPECT_EQ(ReadFile(path_), Lines({"stdout F x", "stdout P begin"}));
}

TEST_F(ContainerLogTest, AFullDiskDoesNotHoldTheContainerUp) {
  ContainerLog log(loop_, clock_, {}, counters_, "/dev/full", [] {});
  ASSERT_TRUE(log.Open(fifos_));
  UniqueFd out = Writer(fifos_.stdout_path);
  for (int i = 0; i < 64; ++i) Say(out, std::string(1023, 'x') + "\n");
  out.Reset();
  Finish(log);
  EXPECT_GE(counters_.bytes_dropped, 64U * 1024);
  EXPECT_EQ(counters_.bytes_written, 0U);
}

TEST_F(ContainerLogTest, AMegabyteArrivesWholeAndInOrder) {
  const auto log = Open();
  UniqueFd out = Writer(fifos_.stdout_path);
  std::string want;
  int line = 0;
  // Fills the FIFO whenever it has room, as a container does that writes faster than we read.
  std::function<void()> write_more = [&] {
    while (line < 10'000) {
      const std::string text = "line " + std::to_string(line) + std::string(100, '.') + "\n";
      pollfd room{out.get(), POLLOUT, 0};
      if (poll(&room, 1, 0) != 1 || write(out.get(), text.data(), text.size()) < 0) break;
      want += Lines({"stdout F " + text.substr(0, text.size() - 1)});
      ++line;
    }
    if (line == 10'000) return out.Reset();
    loop_.After(Nanos(0), write_more);
  };
  write_more();
  Finish(*log);
  EXPECT_EQ(line, 10'000);
  EXPECT_TRUE(ReadFile(path_) == want);
}

TEST(MakeLogFifosTest, KeepsThoseThatAreThereAndRefusesAFile) {
  const TempFolder folder;
  const LogFifos fifos{folder / "out", folder / "err"};
  EXPECT_TRUE(MakeLogFifos(fifos));
  EXPECT_TRUE(MakeLogFifos(fifos));
  std::ofstream(folder / "plain") << "x";
  EXPECT_FALSE(MakeLogFifos({folder / "plain", folder / "err"}));
}

}  // namespace
}  // namespace updraft::node_agent
