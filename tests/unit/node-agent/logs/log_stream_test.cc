#include "node-agent/logs/log_stream.h"

#include <gmock/gmock.h>

#include "node-agent/logs/log_file.h"
#include "node-agent/logs/log_place.h"
#include "tests/unit/node-agent/logs/temp_folder.h"

namespace updraft::node_agent {
namespace {

class LogStreamTest : public testing::Test {
 protected:
  LogFile& File(int restart) {
    auto& file = files_[restart];
    if (!file) {
      file = std::make_unique<LogFile>(
          LogPath(folder_.path(), restart),
          LogFileLimits{.file_bytes_max = file_bytes_max_, .files_max = 4}, counters_);
    }
    return *file;
  }
  void Write(int restart, const std::string& records) {
    File(restart).Append(records);
    signal_->Raise();
  }
  std::unique_ptr<LogStream> Stream(const LogQuery& query) {
    return std::make_unique<LogStream>(loop_, folder_.path(), signal_, query);
  }
  // All that a stream has now.
  std::string Drain(LogStream& stream, size_t step = 1 << 20) {
    std::string all;
    int idle = 0;
    while (!stream.AtEnd() && idle < 100) {
      const std::string text = stream.Next(step);
      idle = text.empty() ? idle + 1 : 0;
      all += text;
    }
    return all;
  }
  std::string Read(const LogQuery& query) { return Drain(*Stream(query)); }

  // Runs the loop until `stream` is at its end, gathering what it says.
  std::string Pump(LogStream& stream) {
    std::string all;
    std::function<void()> pump = [&] {
      std::string text;
      while (!(text = stream.Next(64)).empty()) all += text;
      if (stream.AtEnd()) return loop_.Stop();
      stream.OnMore(pump);
    };
    loop_.After(Nanos(0), pump);
    const Loop::TimerId guard = loop_.At(RealClock().Now() + Seconds(10), [&] {
      ADD_FAILURE() << "the stream did not end; it said:\n" << all;
      loop_.Stop();
    });
    loop_.Run();
    loop_.Cancel(guard);
    return all;
  }

  TempFolder folder_;
  Loop loop_;
  uint64_t file_bytes_max_ = 10 << 20;
  LogCounters counters_;
  std::map<int, std::unique_ptr<LogFile>> files_;
  std::shared_ptr<LogSignal> signal_ = std::make_shared<LogSignal>();
};

TEST_F(LogStreamTest, ShowsTheLinesWithoutTheirHeads) {
  Write(0, Record(1, "a") + Record(2, "") + Record(3, "c"));
  EXPECT_EQ(Read({}), "a\n\nc\n");
}

TEST_F(LogStreamTest, JoinsThePiecesOfALongLine) {
  Write(0, Record(1, "long ", false) + Record(1, "line") + Record(2, "b"));
  EXPECT_EQ(Read({}), "long line\nb\n");
  EXPECT_EQ(Read({.timestamps = true}),
            "2023-11-14T22:13:21.000000000Z long line\n2023-11-14T22:13:22.000000000Z b\n");
}

TEST_F(LogStreamTest, ForeignLinesAreShownAsTheyAre) {
  Write(0, Record(1, "a") + "garbage\n" + Record(2, "b"));
  EXPECT_EQ(Read({}), "a\ngarbage\nb\n");
}

TEST_F(LogStreamTest, TailSinceAndLimit) {
  Write(0, Record(1, "a") + Record(2, "b") + Record(3, "c"));
  EXPECT_EQ(Read({.tail_lines = 2}), "b\nc\n");
  EXPECT_EQ(Read({.tail_lines = 0}), "");
  EXPECT_EQ(Read({.tail_lines = 99}), "a\nb\nc\n");
  EXPECT_EQ(Read({.since = WallTime(Seconds(1'700'000'002))}), "b\nc\n");
  EXPECT_EQ(Read({.tail_lines = 2, .since = WallTime(Seconds(1'700'000'003))}), "c\n");
  EXPECT_EQ(Read({.bytes_max = 3}), "a\nb");
  EXPECT_EQ(Read({.bytes_max = 0}), "");
}

TEST_F(LogStreamTest, ReadsRotatedFilesInOrder) {
  file_bytes_max_ = 100;
  std::string want;
  for (int i = 0; i < 8; ++i) {
    Write(0, Record(i, "line " + std::to_string(i)));
    want += "line " + std::to_string(i) + "\n";
  }
  ASSERT_EQ(LogFilesOf(LogPath(folder_.path(), 0)).size(), 4U);
  EXPECT_EQ(Read({}), want);
  EXPECT_EQ(Read({.tail_lines = 5}), want.substr(3 * 7));
}

TEST_F(LogStreamTest, RotationWhileItReadsLosesNothing) {
  file_bytes_max_ = 100;
  Write(0, Record(0, "zero"));
  const auto stream = Stream({.follow = true});
  EXPECT_EQ(stream->Next(1000), "zero\n");
  for (int i = 1; i < 6; ++i) Write(0, Record(i, std::to_string(i)));
  EXPECT_EQ(Drain(*stream), "1\n2\n3\n4\n5\n");
}

TEST_F(LogStreamTest, AReaderThatFellBehindGoesOnWithTheOldestThatIsLeft) {
  file_bytes_max_ = 50;
  Write(0, Record(0, "zero"));
  const auto stream = Stream({.follow = true});
  EXPECT_EQ(stream->Next(1000), "zero\n");
  for (int i = 1; i < 10; ++i) Write(0, Record(i, std::to_string(i)));
  EXPECT_EQ(Drain(*stream), "6\n7\n8\n9\n");
}

TEST_F(LogStreamTest, TheCurrentRunAndThePreviousOne) {
  Write(3, Record(1, "third"));
  Write(4, Record(2, "fourth"));
  EXPECT_EQ(Read({}), "fourth\n");
  EXPECT_EQ(Read({.previous = true}), "third\n");
}

TEST_F(LogStreamTest, FollowsWhatIsWritten) {
  Write(0, Record(1, "a"));
  const auto stream = Stream({.follow = true});
  loop_.After(Millis(1), [&] { Write(0, Record(2, "b")); });
  loop_.After(Millis(2), [&] { Write(0, Record(3, "c")); });
  loop_.After(Millis(3), [&] { signal_->End(); });
  EXPECT_EQ(Pump(*stream), "a\nb\nc\n");
}

TEST_F(LogStreamTest, FollowsFromTheTail) {
  Write(0, Record(1, "a") + Record(2, "b"));
  const auto stream = Stream({.follow = true, .tail_lines = 1});
  loop_.After(Millis(1), [&] {
    Write(0, Record(3, "c"));
    signal_->End();
  });
  EXPECT_EQ(Pump(*stream), "b\nc\n");
}

TEST_F(LogStreamTest, FollowsOverARestart) {
  Write(0, Record(1, "first run"));
  const auto stream = Stream({.follow = true});
  loop_.After(Millis(1), [&] { Write(1, Record(2, "second run")); });
  loop_.After(Millis(2), [&] { signal_->End(); });
  EXPECT_EQ(Pump(*stream), "first run\nsecond run\n");
}

TEST_F(LogStreamTest, WaitsForTheFirstRun) {
  const auto stream = Stream({.follow = true});
  loop_.After(Millis(1), [&] { Write(0, Record(1, "here")); });
  loop_.After(Millis(2), [&] { signal_->End(); });
  EXPECT_EQ(Pump(*stream), "here\n");
}

TEST_F(LogStreamTest, AFollowedInstanceThatIsOverIsReadToItsEnd) {
  Write(0, Record(1, "a"));
  signal_->End();
  EXPECT_EQ(Read({.follow = true}), "a\n");
}

TEST_F(LogStreamTest, ALongLogComesInPiecesOfTheSizeAskedFor) {
  std::string want;
  for (int i = 0; i < 5000; ++i) {
    const std::string line = "line " + std::to_string(i);
    File(0).Append(Record(i, line));
    want += line + "\n";
  }
  const auto stream = Stream({});
  std::string all;
  while (!stream->AtEnd()) {
    const std::string text = stream->Next(100);
    EXPECT_LE(text.size(), 120U);
    all += text;
  }
  EXPECT_TRUE(all == want);
}

TEST_F(LogStreamTest, OneCallNeverSearchesForLong) {
  for (int i = 0; i < 20'000; ++i) File(0).Append(Record(i, std::string(50, 'x')));
  const auto tail = Stream({.tail_lines = 20'000});
  EXPECT_EQ(tail->Next(1000), "");
  EXPECT_FALSE(tail->AtEnd());
  const auto since = Stream({.since = WallTime(Seconds(1'700'000'000 + 19'999))});
  EXPECT_EQ(since->Next(1000), "");
  EXPECT_FALSE(since->AtEnd());
  EXPECT_EQ(Pump(*since).size(), 51U);
}

TEST_F(LogStreamTest, MayBeDestroyedFromItsCallbackOrWhileItWaits) {
  auto stream = Stream({.follow = true});
  stream->Next(10);
  stream->OnMore([&] {
    stream.reset();
    loop_.Stop();
  });
  auto other = Stream({.follow = true});
  other->Next(10);
  other->OnMore([] { ADD_FAILURE(); });
  loop_.After(Nanos(0), [&] {
    other.reset();
    signal_->Raise();
  });
  loop_.Run();
  EXPECT_FALSE(signal_->followed());
}

}  // namespace
}  // namespace updraft::node_agent
