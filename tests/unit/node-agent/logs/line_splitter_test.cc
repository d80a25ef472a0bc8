#include "node-agent/logs/line_splitter.h"

#include <gmock/gmock.h>

#include <vector>

namespace updraft::node_agent {
namespace {

using testing::ElementsAre;

// Full records as "[x]", pieces as "[x>".
struct Collected {
  std::vector<std::string> records;
  void operator()(std::string_view content, bool ends_line) {
    records.push_back("[" + std::string(content) + (ends_line ? "]" : ">"));
  }
};

std::vector<std::string> Split(std::initializer_list<std::string_view> chunks) {
  LineSplitter splitter(4);
  Collected collected;
  for (const std::string_view chunk : chunks) splitter.Feed(chunk, std::ref(collected));
  return collected.records;
}

TEST(LineSplitterTest, Table) {
  EXPECT_THAT(Split({"a\nbc\n"}), ElementsAre("[a]", "[bc]"));
  EXPECT_THAT(Split({"a", "b", "\n"}), ElementsAre("[ab]"));
  EXPECT_THAT(Split({"\n\n"}), ElementsAre("[]", "[]"));
  EXPECT_THAT(Split({"abcd\n"}), ElementsAre("[abcd]"));
  EXPECT_THAT(Split({"abcde\n"}), ElementsAre("[abcd>", "[e]"));
  EXPECT_THAT(Split({"abcdefghij\nk\n"}), ElementsAre("[abcd>", "[efgh>", "[ij]", "[k]"));
  EXPECT_THAT(Split({"abc", "def"}), ElementsAre("[abcd>"));
  EXPECT_THAT(Split({"abcd", "\n"}), ElementsAre("[abcd]"));
  EXPECT_THAT(Split({"abcd", "e"}), ElementsAre("[abcd>"));
  EXPECT_THAT(Split({""}), ElementsAre());
}

TEST(LineSplitterTest, TheEndOfTheStreamEndsTheLine) {
  LineSplitter splitter(4);
  Collected collected;
  splitter.Feed("a\nbc", std::ref(collected));
  EXPECT_TRUE(splitter.holds());
  splitter.Flush(true, std::ref(collected));
  splitter.Flush(true, std::ref(collected));
  EXPECT_THAT(collected.records, ElementsAre("[a]", "[bc]"));
}

TEST(LineSplitterTest, AnUnfinishedLineGoesOnAfterItsPiece) {
  LineSplitter splitter(4);
  Collected collected;
  splitter.Feed("> ", std::ref(collected));
  splitter.Flush(false, std::ref(collected));
  splitter.Flush(false, std::ref(collected));
  splitter.Feed("y\n", std::ref(collected));
  EXPECT_THAT(collected.records, ElementsAre("[> >", "[y]"));
}

TEST(LineSplitterTest, ALineWhosePiecesAreOutIsEndedByTheStreamsEnd) {
  LineSplitter splitter(4);
  Collected collected;
  splitter.Feed("ab", std::ref(collected));
  splitter.Flush(false, std::ref(collected));
  splitter.Flush(true, std::ref(collected));
  EXPECT_THAT(collected.records, ElementsAre("[ab>", "[]"));
}

}  // namespace
}  // namespace updraft::node_agent
