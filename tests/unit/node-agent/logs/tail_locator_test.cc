#include "node-agent/logs/tail_locator.h"

#include <gmock/gmock.h>

#include "node-agent/logs/log_place.h"
#include "tests/unit/node-agent/logs/temp_folder.h"

namespace updraft::node_agent {
namespace {

class TailLocatorTest : public testing::Test {
 protected:
  int File(const std::string& content) {
    const std::string path = folder_ / std::to_string(files_.size());
    std::ofstream(path) << content;
    files_.push_back(OpenForReading(path));
    return files_.back().get();
  }
  // What lies from the located position to the end.
  std::string Tail(const std::vector<std::string>& contents, uint64_t lines) {
    std::vector<int> fds;
    for (const std::string& content : contents) fds.push_back(File(content));
    TailLocator locator(fds, lines);
    while (!locator.Step()) {
    }
    std::string tail = contents[locator.position().file].substr(locator.position().offset);
    for (size_t i = locator.position().file + 1; i < contents.size(); ++i) tail += contents[i];
    return tail;
  }

  TempFolder folder_;
  std::vector<UniqueFd> files_;
};

const std::string kA = Record(1, "a");
const std::string kB = Record(2, "b");
const std::string kC = Record(3, "c");

TEST_F(TailLocatorTest, LastLines) {
  EXPECT_EQ(Tail({kA + kB + kC}, 0), "");
  EXPECT_EQ(Tail({kA + kB + kC}, 1), kC);
  EXPECT_EQ(Tail({kA + kB + kC}, 2), kB + kC);
  EXPECT_EQ(Tail({kA + kB + kC}, 3), kA + kB + kC);
  EXPECT_EQ(Tail({kA + kB + kC}, 9), kA + kB + kC);
}

TEST_F(TailLocatorTest, AcrossFiles) {
  EXPECT_EQ(Tail({kA + kB, kC}, 1), kC);
  EXPECT_EQ(Tail({kA + kB, kC}, 2), kB + kC);
  EXPECT_EQ(Tail({kA, kB, kC}, 3), kA + kB + kC);
  EXPECT_EQ(Tail({kA, kB, ""}, 1), kB);
}

TEST_F(TailLocatorTest, ThePiecesOfALongLineGoWithItsEnd) {
  const std::string pieces = Record(2, "b1", false) + Record(2, "b2", false) + Record(2, "b3");
  EXPECT_EQ(Tail({kA + pieces}, 1), pieces);
  EXPECT_EQ(Tail({kA + pieces + kC}, 2), pieces + kC);
  EXPECT_EQ(Tail({kA + Record(2, "b1", false), Record(2, "b2") + kC}, 2),
            Record(2, "b1", false) + Record(2, "b2") + kC);
}

TEST_F(TailLocatorTest, AnUnfinishedLineComesOnTop) {
  const std::string open = Record(3, "> ", false);
  EXPECT_EQ(Tail({kA + kB + open}, 1), kB + open);
}

TEST_F(TailLocatorTest, RecordsAnywhereAtBlockBoundaries) {
  // Lengths that shift the records' begins over every place around the 64 kB blocks.
  for (size_t filler = 64 * 1024 - 140; filler < 64 * 1024 + 10; ++filler) {
    files_.clear();
    const std::string content = kA + kB + Record(3, std::string(filler, 'x')) + kC;
    ASSERT_EQ(Tail({content}, 3), content.substr(kA.size())) << filler;
  }
}

TEST_F(TailLocatorTest, AManyLinedLogTakesSeveralSteps) {
  std::string content;
  for (int i = 0; i < 20'000; ++i) content += Record(i, std::string(60, 'x'));
  TailLocator locator({File(content)}, 15'000);
  int steps = 1;
  while (!locator.Step()) ++steps;
  EXPECT_GT(steps, 3);
  EXPECT_EQ(locator.position().offset, content.size() / 20'000 * 5'000);
}

TEST_F(TailLocatorTest, NoFilesNoTail) {
  TailLocator locator({}, 5);
  EXPECT_TRUE(locator.Step());
}

}  // namespace
}  // namespace updraft::node_agent
