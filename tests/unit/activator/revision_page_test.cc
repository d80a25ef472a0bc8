#include "activator/stats/revision_page.h"

#include <gtest/gtest.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <set>
#include <sstream>

#include "tests/unit/activator/page_counters.h"
#include "tests/unit/activator/workers.h"

namespace updraft::activator {
namespace {

RevisionPage::OfRevision Named(const std::string& name) {
  auto settings = std::make_shared<RevisionSettings>();
  settings->key = "ns/" + name;
  settings->namespace_name = "ns";
  settings->name = name;
  settings->service = "svc";
  settings->configuration = "cfg";
  return {settings, std::make_shared<Revision>(settings->key, 2)};
}

RevisionShard& ShardOf(const RevisionPage::OfRevision& of, uint32_t worker) {
  auto& revision = const_cast<Revision&>(*of.revision);
  RevisionShard* shard = revision.shard(worker);
  return shard != nullptr ? *shard : revision.MakeShard(worker);
}

std::string Render(RevisionPage page) {
  std::string text;
  while (page.Next(text)) {
  }
  return text;
}

TEST(RevisionPageTest, AddsUpWhatTheWorkersCounted) {
  FakeClock clock;
  const RevisionPage::OfRevision of = Named("app-1");
  ShardOf(of, 0).load.Arrived();
  ShardOf(of, 0).load.StartRunning(clock.Now());
  ShardOf(of, 1).load.Arrived();
  ShardOf(of, 1).load.StartWaiting(clock.Now());
  clock.Advance(Millis(500));
  ShardOf(of, 0).responses.Add({.status = 200, .latency = Millis(2)});
  ShardOf(of, 1).responses.Add({.status = 204, .latency = Seconds(20)});
  ShardOf(of, 1).responses.Add({.status = 0, .latency = Nanos(0)});
  ShardOf(of, 0).traffic.bytes_in.Add(7);
  ShardOf(of, 1).traffic.bytes_in.Add(3);
  ShardOf(of, 1).traffic.AddAbort(AbortCause::kProtocol);
  ShardOf(of, 1).traffic.waits.Add(Millis(30));
  const std::string page = Render(RevisionPage(clock, {of}));
  const std::string labels = "{configuration=\"cfg\",namespace=\"ns\",revision=\"app-1\",service=\"svc\"";
  for (const std::string& line : {
           std::string("# TYPE updraft_activator_request_duration_seconds histogram\n"),
           "updraft_activator_requests_running" + labels + "} 1\n",
           "updraft_activator_requests_waiting" + labels + "} 1\n",
           "updraft_activator_request_seconds_in_flight_total" + labels + "} 1\n",
           "updraft_activator_requests_total" + labels + "} 2\n",
           "updraft_activator_request_duration_seconds_bucket" + labels + ",response_code_class=\"2xx\",le=\"0.001\"} 0\n",
           "updraft_activator_request_duration_seconds_bucket" + labels + ",response_code_class=\"2xx\",le=\"0.0025\"} 1\n",
           "updraft_activator_request_duration_seconds_bucket" + labels + ",response_code_class=\"2xx\",le=\"+Inf\"} 2\n",
           "updraft_activator_request_duration_seconds_sum" + labels + ",response_code_class=\"2xx\"} 20.002\n",
           "updraft_activator_request_duration_seconds_count" + labels + ",response_code_class=\"none\"} 1\n",
           "updraft_activator_request_wait_seconds_bucket" + labels + ",le=\"0.05\"} 1\n",
           "updraft_activator_received_bytes_total" + labels + "} 10\n",
           "updraft_activator_aborted_requests_total" + labels + ",cause=\"protocol\"} 1\n",
       }) {
    EXPECT_NE(page.find(line), std::string::npos) << line << page;
  }
  EXPECT_EQ(page.find("cause=\"client\""), std::string::npos);
}

// A worker's turn began, the page was read, and only then did the request end, at the time at which the turn began.
TEST(RevisionPageTest, NoCounterGoesBackWhenARequestEndsWithinAWorkersTurn) {
  FakeClock clock;
  const RevisionPage::OfRevision of = Named("app-1");
  const TimePoint start = clock.Now();
  const auto seconds_in_flight = [&clock, &of] {
    for (const auto& [sample, value] : CountersOf(Render(RevisionPage(clock, {of})))) {
      if (sample.find("request_seconds_in_flight_total") != std::string::npos) return value;
    }
    return -1.0;
  };
  ShardOf(of, 0).load.Arrived();
  ShardOf(of, 0).load.StartRunning(start);
  clock.Advance(Millis(500));
  EXPECT_EQ(seconds_in_flight(), 0.5);
  ShardOf(of, 0).load.StopRunning(start + Millis(400));
  EXPECT_EQ(seconds_in_flight(), 0.5);
  // Nor is the time counted twice.
  ShardOf(of, 0).load.StartRunning(start + Millis(500));
  clock.Advance(Millis(50));
  EXPECT_EQ(seconds_in_flight(), 0.5);
  clock.Advance(Millis(100));
  EXPECT_EQ(seconds_in_flight(), 0.55);
}

TEST(RevisionPageTest, RevisionsWithoutRequestsHaveNoSeries) {
  FakeClock clock;
  EXPECT_EQ(Render(RevisionPage(clock, {Named("app-1")})), "");
  EXPECT_EQ(Render(RevisionPage(clock, {})), "");
}

// However many there are: no piece is long, and all samples of a family stand together.
TEST(RevisionPageTest, ComesInPiecesOfBoundedLength) {
  FakeClock clock;
  std::vector<RevisionPage::OfRevision> revisions;
  for (int i = 0; i < 1000; ++i) {
    const RevisionPage::OfRevision& of = revisions.emplace_back(Named("app-" + std::to_string(i)));
    ShardOf(of, 0).load.Arrived();
    for (int status = 100; status < 600; status += 100) ShardOf(of, 0).responses.Add({.status = status});
  }
  RevisionPage page(clock, revisions);
  std::string text;
  for (bool more = true; more;) {
    std::string piece;
    more = page.Next(piece);
    EXPECT_LT(piece.size(), size_t{2} << 20);
    text += piece;
  }
  std::istringstream lines(text);
  std::set<std::string> families;
  std::string family;
  size_t durations = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# HELP ")) {
      family = line.substr(7, line.find(' ', 7) - 7);
      EXPECT_TRUE(families.insert(family).second) << family;
    } else if (!line.starts_with("# TYPE ")) {
      ASSERT_TRUE(line.starts_with(family)) << line;
      durations += line.starts_with("updraft_activator_request_duration_seconds_count");
    }
  }
  EXPECT_EQ(durations, 5'000u);
}

// What a page costs beside a second of a worker, which is what there is between two of them.
TEST(RevisionPageTest, TenThousandRevisionsTakeAFewKilobytesEach) {
  constexpr size_t kRevisions = 10'000;
  FakeClock clock;
  std::vector<RevisionPage::OfRevision> revisions;
  for (size_t i = 0; i < kRevisions; ++i) {
    const RevisionPage::OfRevision& of = revisions.emplace_back(Named("app-" + std::to_string(i)));
    for (uint32_t worker = 0; worker < 2; ++worker) {
      ShardOf(of, worker).load.Arrived();
      ShardOf(of, worker).responses.Add({.status = 200, .latency = Millis(2)});
    }
  }
  const auto cpu_millis = [] {
    timespec spent{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
    return static_cast<double>(spent.tv_sec) * 1e3 + static_cast<double>(spent.tv_nsec) * 1e-6;
  };
  RevisionPage page(clock, revisions);
  std::string piece;
  size_t bytes = 0;
  double longest = 0;
  const double start = cpu_millis();
  for (bool more = true; more;) {
    const double before = cpu_millis();
    piece.clear();
    more = page.Next(piece);
    bytes += piece.size();
    longest = std::max(longest, cpu_millis() - before);
  }
  std::printf("a page of %zu revisions: %.1f MB, %.0f ms of a second's CPU, no piece more than %.2f ms\n", kRevisions,
              static_cast<double>(bytes) / 1e6, cpu_millis() - start, longest);
  EXPECT_LT(bytes / kRevisions, 6'000u);
}

}  // namespace
}  // namespace updraft::activator
