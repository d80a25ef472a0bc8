#include "activator/stats/revision_page.h"

#include <gtest/gtest.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <random>
#include <set>
#include <sstream>

#include "tests/unit/activator/page_counters.h"
#include "tests/unit/activator/workers.h"
#include "tests/unit/core/metrics/gunzip.h"

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

// `revisions` must outlive it.
RevisionSource Listed(const std::vector<RevisionPage::OfRevision>& revisions) {
  return [&revisions](const SeeRevision& see) {
    for (const RevisionPage::OfRevision& of : revisions) see(of.settings, *of.revision);
  };
}

std::string Render(RevisionPage page) {
  metrics::PageWriter writer;
  while (page.Next(writer)) {
  }
  return writer.text();
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
  EXPECT_EQ(Render(RevisionPage(clock, std::vector<RevisionPage::OfRevision>())), "");
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
  metrics::PageWriter writer;
  std::string text;
  for (bool more = true; more;) {
    more = page.Next(writer);
    EXPECT_LT(writer.text().size(), size_t{1} << 20);
    text += writer.text();
    writer.Clear();
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
  const auto memory = std::make_shared<PageMemory>(clock);
  const auto measure = [&](const char* what, bool gzip, bool tell = true) {
    const double start = cpu_millis();
    RevisionPage page(clock, Listed(revisions), memory);
    metrics::PageWriter writer(gzip);
    size_t bytes = 0;
    double longest = 0;
    for (bool more = true; more;) {
      const double before = cpu_millis();
      more = page.Next(writer);
      bytes += writer.Ready().size();
      writer.Clear();
      longest = std::max(longest, cpu_millis() - before);
    }
    if (tell) {
      std::printf("a %s page of %zu revisions: %.1f MB, %.1f ms of a second's CPU, no piece more than %.2f ms\n", what,
                  kRevisions, static_cast<double>(bytes) / 1e6, cpu_millis() - start, longest);
    }
    return bytes;
  };
  EXPECT_LT(measure("plain", false) / kRevisions, 5'000u);
  measure("first compressed", true);
  // Only so much is compressed in a second.
  size_t before = measure("second compressed", true);
  for (int second = 0; second < 30; ++second) {
    clock.Advance(Seconds(1));
    const size_t bytes = measure("further", true, second == 1);
    EXPECT_LT(before, bytes + 3'000'000);
    before = bytes;
  }
  EXPECT_LT(measure("compressed", true) / kRevisions, 300u);
}


// ---- compressed pages, which take over from those before

// Whether both have the same lines: compressed pages have revisions in another order.
bool SameLines(const std::string& a, const std::string& b) {
  const auto sorted = [](std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
      lines.push_back(text.substr(0, text.find('\n') + 1));
      text.remove_prefix(lines.back().size());
    }
    std::ranges::sort(lines);
    return lines;
  };
  return sorted(a) == sorted(b);
}

// Revisions that come, go and have requests, and the pages that are made of them.
class CompressedPageTest : public testing::Test {
 protected:
  RevisionPage Page() { return RevisionPage(clock, Listed(revisions), memory); }

  // Also asserts that it says what a plain page says now.
  struct Read {
    std::string text;
    size_t bytes;
  };
  Read ReadPage() {
    clock.Advance(Seconds(1));
    metrics::PageWriter writer(true);
    RevisionPage page = Page();
    while (page.Next(writer)) {
    }
    writer.End();
    Read read{metrics::Gunzip(writer.Ready()).value_or("not gzip"), writer.Ready().size()};
    EXPECT_TRUE(SameLines(read.text, Render(RevisionPage(clock, revisions)))) << read.text;
    return read;
  }
  // When all rest.
  size_t Settle() {
    ReadPage();
    ReadPage();
    return ReadPage().bytes;
  }

  RevisionPage::OfRevision& Add(const std::string& name) {
    RevisionPage::OfRevision& of = revisions.emplace_back(Named(name));
    Answer(of);
    return of;
  }
  void AddMany(size_t count) {
    for (size_t i = 0; i < count; ++i) Add("app-" + std::to_string(i));
  }
  // A whole request.
  void Answer(const RevisionPage::OfRevision& of, uint32_t worker = 0) {
    ShardOf(of, worker).load.Arrived();
    ShardOf(of, worker).load.StartRunning(clock.Now());
    ShardOf(of, worker).load.StopRunning(clock.Now());
    ShardOf(of, worker).responses.Add({.status = 200, .latency = Millis(2)});
  }

  FakeClock clock;
  std::vector<RevisionPage::OfRevision> revisions;
  std::shared_ptr<PageMemory> memory = std::make_shared<PageMemory>(clock);
};

TEST_F(CompressedPageTest, IsShortWhenItsRevisionsHaveNotChangedSinceTheOneBefore) {
  AddMany(40);
  const size_t plain = ReadPage().bytes;
  EXPECT_GT(plain, 100'000u);
  for (int i = 0; i < 3; ++i) EXPECT_LT(ReadPage().bytes, plain / 10);
}

TEST_F(CompressedPageTest, ARevisionThatWorksCostsItsGroupAlone) {
  AddMany(7 * PageMemory::kGroupRows);
  const size_t settled = Settle();
  const size_t of_group = Render(RevisionPage(clock, revisions)).size() / 7;
  Answer(revisions[20], 1);
  EXPECT_LT(ReadPage().bytes, settled + 3 * of_group / 2);
  EXPECT_LT(ReadPage().bytes, 2 * settled);
  // One that has a request all the time.
  ShardOf(revisions[50], 0).load.Arrived();
  ShardOf(revisions[50], 0).load.StartRunning(clock.Now());
  for (int i = 0; i < 3; ++i) {
    const size_t bytes = ReadPage().bytes;
    EXPECT_GT(bytes, settled + of_group / 2);
    EXPECT_LT(bytes, settled + 3 * of_group / 2);
  }
}

// Its slot is given back first, and what is known of its response is counted afterwards: pages come between.
TEST_F(CompressedPageTest, ARequestIsOverWhenItIsCountedNotWhenItsSlotIsFree) {
  AddMany(3);
  Settle();
  RevisionShard& shard = ShardOf(revisions[1], 0);
  shard.load.Arrived();
  shard.load.StartRunning(clock.Now());
  ReadPage();
  shard.load.StopRunning(clock.Now());
  for (int i = 0; i < 4; ++i) ReadPage();
  shard.traffic.bytes_out.Add(7);
  shard.traffic.AddAbort(AbortCause::kTimeout);
  shard.responses.Add({.status = 504, .latency = Seconds(3)});
  const std::string page = ReadPage().text;
  EXPECT_NE(page.find("response_code_class=\"5xx\",le=\"+Inf\"} 1\n"), std::string::npos);
  EXPECT_NE(page.find(",cause=\"timeout\"} 1\n"), std::string::npos);
}

// The other way round, and on two workers.
TEST_F(CompressedPageTest, ARequestIsNotOverWhileItHasItsSlot) {
  AddMany(3);
  Settle();
  RevisionShard& shard = ShardOf(revisions[1], 1);
  shard.load.Arrived();
  shard.load.StartRunning(clock.Now());
  shard.responses.Add({.status = 200, .latency = Millis(1)});
  for (int i = 0; i < 4; ++i) ReadPage();
  shard.load.StopRunning(clock.Now());
  for (int i = 0; i < 4; ++i) ReadPage();
}

// The text that is kept is made after the look at the revision.
TEST_F(CompressedPageTest, RequestsWithinAPageAreInTheNext) {
  AddMany(3);
  for (int i = 0; i < 4; ++i) {
    {
      RevisionPage page = Page();
      metrics::PageWriter writer(true);
      for (int k = 0; k < i && page.Next(writer); ++k) {
      }
      Answer(revisions[2]);
      while (page.Next(writer)) {
      }
    }
    ReadPage();
  }
}

TEST_F(CompressedPageTest, RevisionsKeepTheirPlacesWhileOthersComeAndGo) {
  AddMany(7 * PageMemory::kGroupRows);
  const size_t settled = Settle();
  const size_t of_group = Render(RevisionPage(clock, revisions)).size() / 7;
  // The first goes: all others stand one further to the front in the list, but not on the page.
  revisions.erase(revisions.begin());
  EXPECT_LT(ReadPage().bytes, settled + 3 * of_group / 2);
  EXPECT_LE(Settle(), settled);
  // One comes, before all others; another goes and comes again under its name.
  revisions.insert(revisions.begin(), Named("aaa"));
  Answer(revisions.front());
  EXPECT_LT(ReadPage().bytes, settled + 3 * of_group / 2);
  revisions[100] = Named("app-100");
  const std::string none = ReadPage().text;
  EXPECT_EQ(none.find("app-100\""), std::string::npos) << "the new one had no request";
  Answer(revisions[100]);
  EXPECT_NE(ReadPage().text.find("app-100\""), std::string::npos);
  // Nearly all go.
  revisions.resize(5);
  EXPECT_LT(ReadPage().bytes, of_group);
  EXPECT_LT(Settle(), of_group / 5);
  revisions.clear();
  EXPECT_EQ(ReadPage().text, "");
}

TEST_F(CompressedPageTest, ShowsTheLabelsThatARevisionHasNow) {
  AddMany(3);
  Settle();
  auto changed = std::make_shared<RevisionSettings>(*revisions[1].settings);
  changed->service = "other";
  revisions[1].settings = changed;
  EXPECT_NE(ReadPage().text.find("service=\"other\""), std::string::npos);
}

TEST_F(CompressedPageTest, HoldsNoRevision) {
  AddMany(3);
  Settle();
  const std::weak_ptr<const Revision> last = revisions.back().revision;
  revisions.pop_back();
  EXPECT_TRUE(last.expired());
  ReadPage();
}

TEST_F(CompressedPageTest, ARevisionThatGoesWithinAPageIsLeftOut) {
  AddMany(3);
  RevisionPage page = Page();
  metrics::PageWriter writer(true);
  EXPECT_TRUE(page.Next(writer));
  revisions.erase(revisions.begin() + 1);
  while (page.Next(writer)) {
  }
  writer.End();
  const std::string text = metrics::Gunzip(writer.Ready()).value_or("not gzip");
  EXPECT_TRUE(SameLines(text, Render(RevisionPage(clock, revisions)))) << text;
}

TEST_F(CompressedPageTest, TwoPagesAtOnceAndOneThatNobodyReadsToItsEnd) {
  AddMany(40);
  Settle();
  RevisionPage slow = Page();
  metrics::PageWriter writer(true);
  EXPECT_TRUE(slow.Next(writer));
  Answer(revisions[7]);
  revisions.erase(revisions.begin() + 3);
  Add("newcomer");
  ReadPage();  // while the other is not at its end
  while (slow.Next(writer)) {
  }
  writer.End();
  const std::string text = metrics::Gunzip(writer.Ready()).value_or("not gzip");
  EXPECT_NE(text.find("revision=\"app-39\""), std::string::npos);
  EXPECT_EQ(text.find("newcomer"), std::string::npos) << "another's place was taken under the slow page";
  {
    RevisionPage broken_off = Page();
    metrics::PageWriter nobody(true);
    EXPECT_TRUE(broken_off.Next(nobody));
    broken_off.Next(nobody);
    Answer(revisions[8]);
  }
  ReadPage();
  EXPECT_LT(Settle(), 10'000u);
}

TEST_F(CompressedPageTest, LetsGoWhenNobodyAsksForMinutes) {
  AddMany(40);
  const size_t settled = Settle();
  clock.Advance(Seconds(200));
  memory->LetGoOfOld();
  EXPECT_EQ(ReadPage().bytes, settled);
  clock.Advance(Seconds(301));
  {
    RevisionPage page = Page();
    metrics::PageWriter writer(true);
    EXPECT_TRUE(page.Next(writer));
    clock.Advance(Seconds(301));
    memory->LetGoOfOld();  // not under a page that is being written
    while (page.Next(writer)) {
    }
  }
  EXPECT_EQ(ReadPage().bytes, settled);
  clock.Advance(Seconds(301));
  memory->LetGoOfOld();
  EXPECT_GT(ReadPage().bytes, 100'000u);
}

// Whatever happens between pages and within them: a compressed page says what a plain one says, and no counter goes back.
class CompressedPageSeedsTest : public CompressedPageTest, public testing::WithParamInterface<unsigned> {
 protected:
  struct Open {
    RevisionPage::OfRevision of;
    uint32_t worker;
    int stage = 0;  // 0 arrived, 1 waits, 2 runs, 3 has no slot any more
  };

  size_t Pick(size_t count) { return random() % count; }

  void Act() {
    switch (Pick(8)) {
      case 0:
        if (Pick(10) == 0) return ComeOrGo();
        [[fallthrough]];
      case 1:
        clock.Advance(Millis(static_cast<int>(Pick(300))));
        return;
      case 2: {
        if (revisions.empty()) return;
        Open one{.of = revisions[Pick(4) == 0 ? Pick(revisions.size()) : Pick(std::min<size_t>(revisions.size(), 3))],
                 .worker = static_cast<uint32_t>(Pick(2))};
        ShardOf(one.of, one.worker).load.Arrived();
        open.push_back(one);
        return;
      }
      default:
        if (!open.empty()) Step(Pick(open.size()));
    }
  }

  void Step(size_t index) {
    Open& one = open[index];
    RevisionShard& shard = ShardOf(one.of, one.worker);
    if (one.stage == 0) {
      one.stage = 1 + static_cast<int>(Pick(3));
      if (one.stage == 1) shard.load.StartWaiting(clock.Now());
      if (one.stage == 2) shard.load.StartRunning(clock.Now());
    } else if (one.stage == 1) {
      one.stage = 2 + static_cast<int>(Pick(2));
      if (one.stage == 2) shard.load.WaitingToRunning(clock.Now());
      if (one.stage == 3) shard.load.StopWaiting(clock.Now());
      shard.traffic.waits.Add(Millis(5));
    } else if (one.stage == 2 && Pick(2) == 0) {
      shard.traffic.bytes_in.Add(Pick(100));
      shard.traffic.bytes_out.Add(Pick(100));
      if (Pick(5) == 0) shard.traffic.retries.Add();
      if (Pick(5) == 0) shard.traffic.ejections.Add();
    } else {
      if (Pick(5) == 0) shard.traffic.AddAbort(AbortCause::kInstance);
      const bool slot_first = Pick(2) == 0;
      if (one.stage == 2 && slot_first) {
        shard.load.StopRunning(clock.Now());
        one.stage = 3;
        return;
      }
      shard.responses.Add({.status = static_cast<int>(100 * Pick(6)), .latency = Millis(static_cast<int>(Pick(9'000)))});
      if (one.stage == 2) shard.load.StopRunning(clock.Now());
      open.erase(open.begin() + static_cast<std::ptrdiff_t>(index));
    }
  }

  void ComeOrGo() {
    const size_t what = Pick(4);
    if (what == 0 || revisions.empty()) {
      revisions.insert(revisions.begin() + static_cast<std::ptrdiff_t>(Pick(revisions.size() + 1)),
                       Named("new-" + std::to_string(++named)));
    } else if (what == 1) {
      revisions.erase(revisions.begin() + static_cast<std::ptrdiff_t>(Pick(revisions.size())));
    } else if (what == 2) {
      RevisionPage::OfRevision& replaced = revisions[Pick(revisions.size())];
      replaced = Named(replaced.settings->name);
      before.clear();
    } else {
      RevisionPage::OfRevision& changed = revisions[Pick(revisions.size())];
      changed.settings = std::make_shared<RevisionSettings>(*changed.settings);
    }
  }

  // A page that is written while things happen; sometimes two at once, sometimes not to the end.
  void ReadWithin() {
    RevisionPage page = Page();
    RevisionPage other = Page();
    const bool two = Pick(4) == 0;
    metrics::PageWriter writer(true);
    metrics::PageWriter other_writer(true);
    std::map<std::string, double> counted = before;
    before.clear();  // unless a revision is replaced meanwhile
    bool replaced_none = true;
    std::string names = Names();
    for (bool more = true; more;) {
      more = page.Next(writer);
      if (two) other.Next(other_writer);
      if (Pick(20) == 0) return;
      for (size_t i = Pick(4); i > 0; --i) Act();
      if (Names() != names) replaced_none = false;
    }
    writer.End();
    const auto text = metrics::Gunzip(writer.Ready());
    ASSERT_TRUE(text);
    if (replaced_none) Compare(counted, CountersOf(*text));
  }
  std::string Names() const {
    std::string all;
    for (const auto& of : revisions) all += std::to_string(reinterpret_cast<uintptr_t>(of.revision.get())) + " ";
    return all;
  }

  void Compare(const std::map<std::string, double>& old, std::map<std::string, double> now) {
    for (const auto& [sample, value] : now) {
      if (const auto found = old.find(sample); found != old.end()) {
        ASSERT_GE(value, found->second) << sample;
      }
    }
    before = std::move(now);
  }

  std::mt19937 random{GetParam()};
  std::vector<Open> open;
  std::map<std::string, double> before;
  int named = 0;
};

TEST_P(CompressedPageSeedsTest, SaysWhatAPlainPageSays) {
  AddMany(35);
  size_t longest = 0;
  size_t shortest = SIZE_MAX;
  for (int step = 0; step < 40; ++step) {
    for (size_t i = Pick(6); i > 0; --i) Act();
    if (Pick(3) == 0) ReadWithin();
    if (Pick(40) == 0) clock.Advance(Seconds(400));
    memory->LetGoOfOld();
    const Read read = ReadPage();
    Compare(before, CountersOf(read.text));
    if (HasFailure()) FAIL() << "at step " << step;
    longest = std::max(longest, read.bytes);
    shortest = std::min(shortest, read.bytes);
  }
  EXPECT_LT(2 * shortest, longest) << "nothing was taken over";
}

INSTANTIATE_TEST_SUITE_P(Seeds, CompressedPageSeedsTest, testing::Range(0u, 6u));

}  // namespace
}  // namespace updraft::activator
