#include "node-agent/logs/log_tail.h"

#include <gmock/gmock.h>

#include "tests/unit/node-agent/logs/temp_folder.h"

namespace updraft::node_agent {
namespace {

class TailOfLogTest : public testing::Test {
 protected:
  std::string Tail(const std::string& content, const LogTailLimits& limits = {}) {
    std::ofstream(path_) << content;
    return TailOfLog(path_, limits);
  }
  TempFolder folder_;
  const std::string path_ = folder_ / "0.log";
};

TEST_F(TailOfLogTest, NoLogNoTail) { EXPECT_EQ(TailOfLog(path_, {}), ""); }

TEST_F(TailOfLogTest, AShortLogIsShownWhole) {
  EXPECT_EQ(Tail(Record(1, "a") + Record(2, "b")), "a\nb\n");
}

TEST_F(TailOfLogTest, TheLastLines) {
  const std::string log = Record(1, "a") + Record(2, "b") + Record(3, "c");
  EXPECT_EQ(Tail(log, {.lines_max = 1}), "c\n");
  EXPECT_EQ(Tail(log, {.lines_max = 2}), "b\nc\n");
  EXPECT_EQ(Tail(log, {.lines_max = 3}), "a\nb\nc\n");
}

TEST_F(TailOfLogTest, AnUnfinishedLineIsOne) {
  EXPECT_EQ(
      Tail(Record(1, "a") + Record(2, "pan", false) + Record(2, "ic", false), {.lines_max = 1}),
      "panic");
}

TEST_F(TailOfLogTest, TheLastBytes) {
  EXPECT_EQ(Tail(Record(1, "abcdef") + Record(2, "gh"), {.bytes_max = 5}), "f\ngh\n");
  EXPECT_EQ(Tail(Record(1, std::string(70'000, 'x')) + Record(2, "y")), "y\n");
}

TEST_F(TailOfLogTest, ReachesBackIntoTheRotatedFile) {
  std::ofstream(path_ + ".7") << Record(1, "a") + Record(2, "b");
  EXPECT_EQ(Tail(Record(3, "c")), "a\nb\nc\n");
}

}  // namespace
}  // namespace updraft::node_agent
