// The small parts that pulls are made of: queue, locks, pool, cancellation, progress.
#include <gmock/gmock.h>

#include <atomic>
#include <future>

#include "node-agent/image/byte_queue.h"
#include "node-agent/image/cancel.h"
#include "node-agent/image/keyed_lock.h"
#include "node-agent/image/progress.h"
#include "node-agent/image/registry_errors.h"
#include "node-agent/image/token_service.h"
#include "node-agent/image/worker_pool.h"

namespace updraft::node_agent {
namespace {

using testing::HasSubstr;

TEST(ByteQueueTest, HoldsTheWriterBackWhenFull) {
  ByteQueue queue(4);
  int more = 0;
  const auto count = [&more](const Status& status) { more += status ? 1 : 0; };
  queue.Write("ab", count);
  EXPECT_EQ(more, 1);
  queue.Write("cdef", count);
  EXPECT_EQ(more, 1);
  EXPECT_EQ(queue.Read(), "ab");
  EXPECT_EQ(more, 1);  // four bytes are still waiting
  EXPECT_EQ(queue.Read(), "cdef");
  EXPECT_EQ(more, 2);
  queue.End();
  EXPECT_EQ(queue.Read(), std::nullopt);
}

TEST(ByteQueueTest, AFailedReaderStopsTheWriter) {
  ByteQueue queue(1);
  std::vector<std::string> answers;
  const auto note = [&answers](const Status& status) {
    answers.push_back(status ? "" : status.error().message);
  };
  queue.Write("abc", note);
  queue.Fail({Code::kInternal, "broken"});
  queue.Write("def", note);
  EXPECT_THAT(answers, testing::ElementsAre("broken", "broken"));
  EXPECT_EQ(queue.Read(), std::nullopt);
}

TEST(KeyedLockTest, OneAtATimePerKey) {
  KeyedLock locks;
  std::atomic<int> inside = 0;
  std::atomic<int> most = 0;
  {
    std::vector<NamedThread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back("t", [&] {
        for (int round = 0; round < 200; ++round) {
          const KeyedLock::Held held(locks, "a");
          most = std::max(most.load(), ++inside);
          --inside;
        }
      });
    }
    const KeyedLock::Held other(locks, "b");  // does not wait
  }
  EXPECT_EQ(most, 1);
}

TEST(WorkerPoolTest, RunsAtMostSoManyAtOnce) {
  std::atomic<int> running = 0;
  std::atomic<int> most = 0;
  std::atomic<int> done = 0;
  std::promise<void> all;
  WorkerPool pool("w", 3);
  for (int i = 0; i < 100; ++i) {
    pool.Submit([&] {
      most = std::max(most.load(), ++running);
      --running;
      if (++done == 100) all.set_value();
    });
  }
  all.get_future().wait();
  EXPECT_LE(most, 3);
}

TEST(CancelTokenTest, EndsWaits) {
  CancelToken token;
  EXPECT_TRUE(token.Wait(Nanos(1)));
  {
    const NamedThread canceller("c", [&token] { token.Cancel(); });
    EXPECT_FALSE(token.Wait(std::chrono::hours(1)));
  }
  EXPECT_TRUE(token.cancelled());
}

TEST(ProgressMeterTest, ReportsFiveTimesASecondAndEachStep) {
  FakeClock clock;
  std::vector<ImageProgress> reports;
  ProgressMeter meter(clock, [&reports](const ImageProgress& p) { reports.push_back(p); });
  meter.Expect(100);
  meter.Step("pulling");
  for (int i = 0; i < 10; ++i) meter.Add(1);
  EXPECT_EQ(reports.size(), 1U);
  clock.Advance(Millis(200));
  meter.Add(1);
  ASSERT_EQ(reports.size(), 2U);
  EXPECT_EQ(reports[1], (ImageProgress{.step = "pulling", .bytes_done = 11, .bytes_total = 100}));
  meter.Step("unpacking layer 1/1");
  EXPECT_EQ(reports.size(), 3U);
}

TEST(TokenQueryTest, ComesFromTheChallenge) {
  const auto challenge =
      ParseChallenges(R"(Bearer realm="https://a.example/t",service="s")").front();
  const auto query = QueryOf(challenge, "repository:a:pull", {});
  ASSERT_TRUE(query.has_value());
  EXPECT_EQ(query->realm, "https://a.example/t");
  EXPECT_EQ(query->scope, "repository:a:pull");
  EXPECT_FALSE(QueryOf(ParseChallenges("Bearer realm=\"file:///x\"").front(), "", {}).has_value());
  EXPECT_EQ(BasicAuthorization("Aladdin", "open sesame"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
}

HttpAnswer Answer(int status, const std::string& code, const std::string& message) {
  HttpAnswer answer;
  answer.outcome = HttpAnswer::Outcome::kAnswered;
  answer.status = status;
  answer.body = R"({"errors":[{"code":")" + code + R"(","message":")" + message + R"("}]})";
  return answer;
}

TEST(RegistryErrorsTest, SayWhatIsWrongInWords) {
  struct Case {
    HttpAnswer answer;
    std::string reference;
    Code code;
    std::string message;
  };
  const std::vector<Case> cases = {
      {Answer(401, "UNAUTHORIZED", "authentication required"), "1", Code::kUnauthenticated,
       "unauthorized: credentials are missing or wrong for repository \"a/b\" at registry r: "
       "authentication required"},
      {Answer(403, "DENIED", "no"), "1", Code::kPermissionDenied,
       "unauthorized: access denied to repository \"a/b\" at registry r: no"},
      {Answer(404, "MANIFEST_UNKNOWN", "manifest unknown"), "1", Code::kNotFound,
       "not found: no tag \"1\" in repository \"a/b\" at registry r: manifest unknown"},
      {Answer(404, "NAME_UNKNOWN", "repository name not known to registry"), "1", Code::kNotFound,
       "not found: no repository \"a/b\" at registry r: repository name not known to registry"},
      {Answer(429, "TOOMANYREQUESTS", "slow down"), "1", Code::kUnavailable,
       "too many requests: registry r answered 429: slow down"},
      {Answer(503, "", ""), "1", Code::kUnavailable, "registry r answered 503"},
      {Answer(418, "", ""), "1", Code::kFailedPrecondition,
       "registry r answered 418 for repository \"a/b\" at registry r"},
  };
  for (const Case& c : cases) {
    const Error error =
        AnswerError({.host = "r", .repository = "a/b", .reference = c.reference}, c.answer);
    EXPECT_EQ(error.code, c.code);
    EXPECT_EQ(error.message, c.message);
  }
}

TEST(RegistryErrorsTest, StrangersWordsAreMadeHarmless) {
  HttpAnswer answer = Answer(500, "X", "");
  answer.body = "{\"errors\":[{\"message\":\"a\\u001b[31m" + std::string(1000, 'x') + "\"}]}";
  const std::string message = MessageOf(answer);
  EXPECT_EQ(message.find('\x1b'), std::string::npos);
  EXPECT_LT(message.size(), 320U);
}

}  // namespace
}  // namespace updraft::node_agent
