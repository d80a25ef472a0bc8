#include "node-agent/logs/cri_record.h"

#include <gtest/gtest.h>

namespace updraft::node_agent {
namespace {

constexpr WallTime kWhen = WallTime(Nanos(1'700'000'000'000'000'123));

TEST(CriRecordTest, IsWrittenAsKubernetesReadsIt) {
  std::string out;
  AppendRecord(out, FormatLogTime(kWhen), LogSource::kStdout, true, "hello");
  AppendRecord(out, FormatLogTime(kWhen), LogSource::kStderr, false, "par");
  EXPECT_EQ(out,
            "2023-11-14T22:13:20.000000123Z stdout F hello\n"
            "2023-11-14T22:13:20.000000123Z stderr P par\n");
}

TEST(CriRecordTest, ReadsWhatItWrote) {
  std::string out;
  AppendRecord(out, FormatLogTime(kWhen), LogSource::kStderr, false, " a b ");
  const auto record = ParseRecord(std::string_view(out).substr(0, out.size() - 1));
  ASSERT_TRUE(record);
  EXPECT_EQ(record->time, "2023-11-14T22:13:20.000000123Z");
  EXPECT_FALSE(record->ends_line);
  EXPECT_EQ(record->content, " a b ");
  EXPECT_EQ(out[kLogTagOffset], 'P');
}

TEST(CriRecordTest, AnEmptyLineIsARecord) {
  std::string out;
  AppendRecord(out, FormatLogTime(kWhen), LogSource::kStdout, true, "");
  const auto record = ParseRecord(std::string_view(out).substr(0, out.size() - 1));
  ASSERT_TRUE(record);
  EXPECT_EQ(record->content, "");
}

class ForeignLineTest : public testing::TestWithParam<const char*> {};

TEST_P(ForeignLineTest, IsNoRecord) { EXPECT_FALSE(ParseRecord(GetParam())); }

INSTANTIATE_TEST_SUITE_P(
    Table, ForeignLineTest,
    testing::Values("", "hello", "2023-11-14T22:13:20.000000123Z stdout",
                    "2023-11-14T22:13:20.000000123Z stdlog F x",
                    "2023-11-14T22:13:20.000000123Z stdout X x",
                    "{\"log\":\"a line as docker's json-file driver writes\"}"));

}  // namespace
}  // namespace updraft::node_agent
