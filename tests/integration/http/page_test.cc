// The page of metrics while requests are carried: what it counts only grows, and it waits for no worker.
#include <gtest/gtest.h>
#include <poll.h>

#include <atomic>
#include <future>
#include <thread>

#include "tests/integration/http/activator_fixture.h"
#include "tests/unit/activator/page_counters.h"
#include "tests/unit/core/http/raw_client.h"
#include "tests/unit/core/http/test_server.h"
#include "tests/unit/core/metrics/gunzip.h"

namespace updraft::activator {
namespace {

http::Task<void> TakeAndAnswer(http::Exchange& exchange) {
  (void)co_await exchange.ReadBody(1 << 20);
  (void)co_await exchange.Respond(200, http::Headers(), "ok");
}

std::string PageOf(const RevisionPage::OfRevision& revision) {
  RevisionPage page(RealClock(), {revision});
  metrics::PageWriter writer;
  while (page.Next(writer)) {
  }
  const std::string& text = writer.text();
  return text;
}

std::string CompressedPageOf(const RevisionPage::OfRevision& revision, const std::shared_ptr<PageMemory>& memory) {
  RevisionPage page(RealClock(), [&revision](const SeeRevision& see) { see(revision.settings, *revision.revision); }, memory);
  metrics::PageWriter writer(true);
  while (page.Next(writer)) {
  }
  writer.End();
  return metrics::Gunzip(writer.Ready()).value_or("");
}

double SumOf(const std::map<std::string, double>& counters, const std::string& name) {
  double sum = 0;
  for (const auto& [sample, value] : counters) {
    if (sample.starts_with("updraft_activator_" + name + "{")) sum += value;
  }
  return sum;
}

// Every reading beside the one before it, plain and compressed in turn, while two workers count.
TEST(PageTest, CountersOnlyGrowWhileTheyAreReadUnderLoad) {
  constexpr int kClients = 4;
  constexpr int kRequests = 500;
  http::TestServer backend(TakeAndAnswer);
  ActivatorFixture activator(2, 3);  // so that some wait
  activator.SetPorts({backend.port()});
  const RevisionPage::OfRevision revision = activator.revision();
  std::atomic<int> running = kClients;
  std::vector<std::thread> clients;
  for (int i = 0; i < kClients; ++i) {
    clients.emplace_back([&activator, &running] {
      http::RawClient client(activator.port());
      for (int k = 0; k < kRequests; ++k) {
        client.Send("POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 4\r\n\r\nbody");
        EXPECT_EQ(http::BodyOf(client.ReadResponse()), "ok");
      }
      --running;
    });
  }
  std::map<std::string, double> before;
  const auto memory = std::make_shared<PageMemory>(RealClock());
  int pages = 0;
  while (running > 0) {
    const std::map<std::string, double> now =
        CountersOf(pages % 2 == 0 ? PageOf(revision) : CompressedPageOf(revision, memory));
    for (const auto& [sample, value] : before) {
      const auto found = now.find(sample);
      ASSERT_TRUE(found != now.end()) << sample;
      ASSERT_GE(found->second, value) << sample;
    }
    before = now;
    ++pages;
  }
  for (std::thread& client : clients) client.join();
  EXPECT_GT(pages, 10);
  // In the end all is there. What a worker counts behind a response comes a little later.
  const auto count = [&revision](const char* name) { return SumOf(CountersOf(PageOf(revision)), name); };
  EXPECT_EQ(count("requests_total"), kClients * kRequests);
  while (count("request_duration_seconds_count") < kClients * kRequests) poll(nullptr, 0, 1);
  EXPECT_EQ(count("request_duration_seconds_count"), kClients * kRequests);
  EXPECT_EQ(count("received_bytes_total"), 4 * kClients * kRequests);
  // With every request ended as often as it arrived, pages take over from each other.
  EXPECT_EQ(revision.revision->ReadEnded(), uint64_t{kClients * kRequests});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(CountersOf(CompressedPageOf(revision, memory)), CountersOf(PageOf(revision)));
}

// Workers that stand still hold up no page, and a page that is not yet whole no worker.
TEST(PageTest, NeitherWaitsForTheOther) {
  http::TestServer backend(TakeAndAnswer);
  ActivatorFixture activator(2, 0);
  activator.SetPorts({backend.port()});
  const auto ask = [&activator] {
    http::RawClient client(activator.port());
    client.Send("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n");
    EXPECT_EQ(http::BodyOf(client.ReadResponse()), "ok");
  };
  ask();
  RevisionPage begun(RealClock(), {activator.revision()});
  metrics::PageWriter part;
  EXPECT_TRUE(begun.Next(part));
  ask();

  std::promise<void> go_on;
  const std::shared_future<void> told = go_on.get_future().share();
  for (Worker* worker : activator.pool().workers()) {
    std::promise<void> stands;
    worker->loop().Post([&stands, told] {
      stands.set_value();
      told.wait();
    });
    stands.get_future().wait();
  }
  EXPECT_EQ(SumOf(CountersOf(PageOf(activator.revision())), "requests_total"), 2);
  go_on.set_value();
  ask();
}

}  // namespace
}  // namespace updraft::activator
