// From workers' lines to a file.
#include "activator/access_log/access_log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

namespace updraft::activator {
namespace {

std::string ReadAll(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(LineRingTest, KeepsWhatFitsInOrder) {
  LineRing ring(16);
  EXPECT_TRUE(ring.Write("0123456789"));
  EXPECT_FALSE(ring.Write("abcdefg")) << "6 bytes are left";
  EXPECT_TRUE(ring.Write("abcdef"));
  EXPECT_EQ(ring.Readable()[0], "0123456789abcdef");
  ring.Consume(10);
  EXPECT_TRUE(ring.Write("ABCDEFGHIJ"));  // over the end
  EXPECT_EQ(ring.Readable()[0], "abcdef");
  EXPECT_EQ(ring.Readable()[1], "ABCDEFGHIJ");
  ring.Consume(16);
  EXPECT_EQ(ring.Readable()[0], "");
  EXPECT_EQ(ring.Readable()[1], "");
}

class AccessLogTest : public testing::Test {
 protected:
  AccessLogTest() {
    char folder[] = "/tmp/updraft-access-log-XXXXXX";
    folder_ = mkdtemp(folder);
    path_ = folder_ + "/log";
  }
  ~AccessLogTest() override { std::filesystem::remove_all(folder_); }

  AccessLogOptions Options() const {
    return {.path = path_, .format = Format("{{.Request.URL}}"), .workers = 2};
  }
  static std::shared_ptr<const LogTemplate> Format(std::string_view text) {
    return std::make_shared<const LogTemplate>(*LogTemplate::Parse(text));
  }
  static void Write(AccessLog& log, uint32_t worker, const std::string& target) {
    http::RequestHead request;
    request.target = target;
    log.sink(worker).Write({.request = request});
  }

  std::string folder_;
  std::string path_;
};

TEST_F(AccessLogTest, EveryLineOfEveryWorkerArrivesWhole) {
  constexpr int kLines = 20'000;
  {
    const auto log = *AccessLog::Open(Options());
    const auto work = [&log](uint32_t worker) {
      for (int i = 0; i < kLines; ++i) Write(*log, worker, "/" + std::to_string(worker) + "/" + std::to_string(i));
    };
    std::thread one(work, 0);
    work(1);
    one.join();
    EXPECT_EQ(log->written(), 2u * kLines);
    EXPECT_EQ(log->dropped(), 0u);
  }
  std::istringstream lines(ReadAll(path_));
  std::set<std::string> seen;
  for (std::string line; std::getline(lines, line);) seen.insert(line);
  EXPECT_EQ(seen.size(), 2u * kLines);
  EXPECT_TRUE(seen.contains("/0/0"));
  EXPECT_TRUE(seen.contains("/1/" + std::to_string(kLines - 1)));
}

TEST_F(AccessLogTest, AFileThatStandsStillCostsLinesNotTime) {
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  const UniqueFd reader(open(path_.c_str(), O_RDWR | O_CLOEXEC));  // opened, and not read
  AccessLogOptions options = Options();
  options.bytes_per_worker = 1 << 16;
  const auto log = *AccessLog::Open(options);
  const std::string target = "/" + std::string(998, 'x');
  uint64_t sent = 0;
  while (log->dropped() < 100) {
    Write(*log, 0, target);
    ++sent;
  }
  EXPECT_EQ(log->written() + log->dropped(), sent);
  // Let it end: somebody reads.
  std::string bytes(1 << 20, '\0');
  std::thread drain([&] {
    // The last byte may come together with what is before it.
    for (ssize_t count = 1; count > 0 && bytes[static_cast<size_t>(count) - 1] != '!';)
      count = read(reader.get(), bytes.data(), bytes.size());
  });
  const_cast<std::unique_ptr<AccessLog>&>(log).reset();
  ASSERT_EQ(write(reader.get(), "!", 1), 1);
  drain.join();
}

TEST_F(AccessLogTest, ARenamedFileIsFollowedByANewOne) {
  {
    const auto log = *AccessLog::Open(Options());
    Write(*log, 0, "/before");
    while (ReadAll(path_).empty()) {
    }
    std::filesystem::rename(path_, path_ + ".1");
    Write(*log, 0, "/after");
  }
  EXPECT_EQ(ReadAll(path_ + ".1"), "/before\n");
  EXPECT_EQ(ReadAll(path_), "/after\n");
}

TEST_F(AccessLogTest, ASampleIsThatPartOfAll) {
  AccessLogOptions options = Options();
  options.sample = 0.25;
  const auto log = *AccessLog::Open(options);
  int sampled = 0;
  for (int i = 0; i < 100'000; ++i) sampled += log->sink(0).Samples() ? 1 : 0;
  EXPECT_NEAR(sampled, 25'000, 1'000);
  options.sample = 0;
  EXPECT_FALSE((*AccessLog::Open(options))->sink(0).Samples());
}

TEST_F(AccessLogTest, WhatIsLoggedAndHowMayChangeMeanwhile) {
  AccessLogOptions options = Options();
  options.format = nullptr;
  {
    const auto log = *AccessLog::Open(options);
    EXPECT_FALSE(log->sink(0).Samples());
    log->sink(0).Use(Format("one {{.Request.URL}}"));
    EXPECT_TRUE(log->sink(0).Samples());
    EXPECT_FALSE(log->sink(1).Samples());
    Write(*log, 0, "/a");
    log->sink(0).Use(Format("two {{.Request.URL}}"));
    Write(*log, 0, "/b");
    log->sink(0).Use(nullptr);
    EXPECT_FALSE(log->sink(0).Samples());
    Write(*log, 0, "/c");  // it was sampled before
    EXPECT_EQ(log->written(), 2u);
  }
  EXPECT_EQ(ReadAll(path_), "one /a\ntwo /b\n");
}

TEST_F(AccessLogTest, AFileThatCannotBeOpenedIsAnError) {
  AccessLogOptions options = Options();
  options.path = folder_ + "/none/log";
  const auto log = AccessLog::Open(options);
  ASSERT_FALSE(log);
  EXPECT_EQ(log.error().code, Code::kUnavailable);
}

}  // namespace
}  // namespace updraft::activator
