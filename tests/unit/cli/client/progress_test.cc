#include "cli/client/progress.h"

#include <gtest/gtest.h>

#include <sstream>

namespace updraft::cli {
namespace {

TEST(DrawBarTest, Table) {
  EXPECT_EQ(DrawBar(0, 10, 4), "[    ]   0 %");
  EXPECT_EQ(DrawBar(5, 10, 4), "[##  ]  50 %");
  EXPECT_EQ(DrawBar(10, 10, 4), "[####] 100 %");
  EXPECT_EQ(DrawBar(99, 10, 4), "[####] 100 %");
  EXPECT_EQ(DrawBar(5, 0, 4), "[    ]   0 %");
}

TEST(ProgressBarTest, OneLineAStepWithoutATerminal) {
  std::ostringstream out;
  {
    ProgressBar bar(out, false, 10);
    bar.Show(1, "reading");
    bar.Show(2, "reading");
    bar.Show(3, "unpacking layer 1/1");
  }
  EXPECT_EQ(out.str(), "reading\nunpacking layer 1/1\n");
}

TEST(ProgressBarTest, DrawsOverItsLineOnATerminal) {
  std::ostringstream out;
  {
    ProgressBar bar(out, true, 10);
    bar.Show(5, "reading");
  }
  EXPECT_TRUE(out.str().starts_with("\r"));
  EXPECT_TRUE(out.str().ends_with("reading\n"));
}

}  // namespace
}  // namespace updraft::cli
