#include "core/metrics/page_writer.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/unit/core/metrics/gunzip.h"

namespace updraft::metrics {
namespace {

std::string Lines(size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::string text;
  for (size_t i = 0; i < count; ++i) {
    text += "updraft_lines_total{line=\"" + std::to_string(i) + "\"} " + std::to_string(random()) + "\n";
  }
  return text;
}

TEST(PageWriterTest, APlainPageIsItsText) {
  PageWriter page;
  page.text() += "one\n";
  EXPECT_EQ(page.Ready(), "one\n");
  page.text() += "two\n";
  page.End();
  EXPECT_EQ(page.Ready(), "one\ntwo\n");
  page.Clear();
  EXPECT_EQ(page.Ready(), "");
}

TEST(PageWriterTest, AnEmptyPageIsAGzipStreamToo) {
  PageWriter page(true);
  page.End();
  EXPECT_EQ(Gunzip(page.Ready()), "");
}

// Stored and compressed, longer than a stored block and nothing at all, in any order, and the same again.
TEST(PageWriterTest, PiecesMakeOneGzipStream) {
  Compressor compressor;
  std::vector<std::string> texts;
  std::vector<CompressedText> pieces;
  for (const size_t lines : {0, 1, 16, 300, 5'000}) {
    texts.push_back(Lines(lines, static_cast<unsigned>(lines)));
    pieces.push_back(compressor.Compress(texts.back()));
    if (lines >= 16) {
      EXPECT_LT(pieces.back().blocks.size(), texts.back().size() * 2 / 3);
    }
  }
  std::mt19937 random(1);
  for (int round = 0; round < 50; ++round) {
    PageWriter page(true);
    std::string want;
    std::string sent;
    for (int i = 0; i < 20; ++i) {
      const size_t which = random() % texts.size();
      want += texts[which];
      if (random() % 2 == 0) {
        page.text() += texts[which];
      } else {
        page.Append(pieces[which]);
      }
      if (random() % 3 != 0) continue;
      sent += page.Ready();
      page.Clear();
    }
    page.End();
    sent += page.Ready();
    ASSERT_EQ(Gunzip(sent), want) << "round " << round;
  }
}

}  // namespace
}  // namespace updraft::metrics
