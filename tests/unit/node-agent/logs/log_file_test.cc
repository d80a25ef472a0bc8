#include "node-agent/logs/log_file.h"

#include <gmock/gmock.h>

#include "node-agent/logs/log_place.h"
#include "tests/unit/node-agent/logs/temp_folder.h"

namespace updraft::node_agent {
namespace {

using testing::ElementsAre;

class LogFileTest : public testing::Test {
 protected:
  TempFolder folder_;
  LogCounters counters_;
  const std::string path_ = folder_ / "ns_i/user/0.log";
};

TEST_F(LogFileTest, AppendsAndMakesItsFolder) {
  LogFile file(path_, {}, counters_);
  file.Append("a\n");
  file.Append("b\n");
  EXPECT_EQ(ReadFile(path_), "a\nb\n");
  EXPECT_EQ(counters_.bytes_written, 4U);
}

TEST_F(LogFileTest, GoesOnWhereTheLastAgentStopped) {
  LogFile(path_, {}, counters_).Append("a\n");
  LogFile(path_, {}, counters_).Append("b\n");
  EXPECT_EQ(ReadFile(path_), "a\nb\n");
}

TEST_F(LogFileTest, AHalfRecordIsEndedFirst) {
  LogFile(path_, {}, counters_).Append("hal");
  LogFile(path_, {}, counters_).Append("b\n");
  EXPECT_EQ(ReadFile(path_), "hal\nb\n");
}

TEST_F(LogFileTest, RotatesBeforeTheLimitAndKeepsTheNewest) {
  LogFile file(path_, {.file_bytes_max = 4, .files_max = 3}, counters_);
  for (const char* record : {"1\n", "2\n", "3\n", "4\n", "5\n", "6\n", "7\n"}) file.Append(record);
  EXPECT_THAT(RotatedNumbers(path_), ElementsAre(2U, 3U));
  EXPECT_EQ(ReadFile(path_ + ".2"), "3\n4\n");
  EXPECT_EQ(ReadFile(path_ + ".3"), "5\n6\n");
  EXPECT_EQ(ReadFile(path_), "7\n");
}

TEST_F(LogFileTest, RotationGoesOnCountingAfterARestart) {
  const LogFileLimits limits{.file_bytes_max = 2, .files_max = 3};
  {
    LogFile file(path_, limits, counters_);
    for (const char* record : {"1\n", "2\n", "3\n"}) file.Append(record);
  }
  LogFile(path_, limits, counters_).Append("4\n");
  EXPECT_THAT(RotatedNumbers(path_), ElementsAre(2U, 3U));
  EXPECT_EQ(ReadFile(path_), "4\n");
}

TEST_F(LogFileTest, ARecordLargerThanTheLimitIsKept) {
  LogFile file(path_, {.file_bytes_max = 4}, counters_);
  file.Append("123456\n");
  EXPECT_EQ(ReadFile(path_), "123456\n");
}

TEST_F(LogFileTest, AFullDiskDropsAndCounts) {
  LogFile file("/dev/full", {}, counters_);
  file.Append("12\n");
  file.Append("34\n");
  EXPECT_EQ(counters_.bytes_dropped, 6U);
  EXPECT_EQ(counters_.bytes_written, 0U);
}

TEST_F(LogFileTest, WritesAgainOnceItCan) {
  std::ofstream(folder_ / "ns_i") << "in the way";  // the folder cannot be made
  LogFile file(path_, {}, counters_);
  file.Append("lost\n");
  std::filesystem::remove(folder_ / "ns_i");
  file.Append("kept\n");
  EXPECT_EQ(ReadFile(path_), "kept\n");
  EXPECT_EQ(counters_.bytes_dropped, 5U);
}

}  // namespace
}  // namespace updraft::node_agent
