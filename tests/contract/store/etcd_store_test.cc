// What the etcd store promises beyond the contract: an etcd or a client that is killed with kill -9
// loses nothing that was acknowledged, members that die are passed over, TLS is mutual.
#include "core/store/etcd_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/lease/candidate.h"
#include "tests/contract/store/callback_queue.h"
#include "tests/contract/store/etcd_process.h"

namespace updraft::store {
namespace {

constexpr int kOutstanding = 48;

class EtcdStoreTest : public testing::Test {
 protected:
  EtcdStoreTest() {
    folder_ = std::filesystem::temp_directory_path() / ("updraft-etcd-" + std::to_string(getpid()));
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  ~EtcdStoreTest() override { std::filesystem::remove_all(folder_); }
  void SetUp() override {
    if (!EtcdProcess::Installed()) GTEST_SKIP() << "no etcd is installed";
  }

  static std::unique_ptr<EtcdStore> Open(std::vector<std::string> endpoints, CallbackQueue& queue,
                                         EtcdTls tls = {}) {
    EtcdOptions options;
    options.endpoints = std::move(endpoints);
    options.root = "/updraft/";
    options.tls = std::move(tls);
    Result<std::unique_ptr<EtcdStore>> opened = EtcdStore::Open(std::move(options), queue.post());
    EXPECT_TRUE(opened) << opened.error().message;
    return opened ? std::move(opened).value() : nullptr;
  }
  static Result<Outcome> Put(CallbackQueue& queue, Store& store, std::string key) {
    return Await<Outcome>(queue, [&](Done<Outcome> done) {
      store.Commit({{}, {{.key = "/updraft/" + std::move(key), .value = "v"}}}, std::move(done));
    });
  }
  static Result<Bounds> ReadBounds(CallbackQueue& queue, Store& store) {
    return Await<Bounds>(queue, [&](Done<Bounds> done) { store.ReadBounds(std::move(done)); });
  }

  std::filesystem::path folder_;
};

// Writes pairs of keys and keeps what it knows of them, and what a watch tells.
class PairWriter {
 public:
  PairWriter(Store& store, int64_t first) : store_(store), next_(first) {}

  // Keeps kOutstanding transactions under way.
  void Fill(const std::function<void(int64_t id, const Result<Outcome>&)>& on_done) {
    while (outstanding_ < kOutstanding) {
      const int64_t id = next_++;
      Transaction pair;
      pair.conditions.push_back({.key = "/updraft/a/" + std::to_string(id), .mod_revision = 0});
      pair.operations.push_back({.key = "/updraft/a/" + std::to_string(id),
                                 .value = std::string(200, 'x') + std::to_string(id)});
      pair.operations.push_back(
          {.key = "/updraft/b/" + std::to_string(id), .value = std::to_string(id)});
      ++outstanding_;
      store_.Commit(std::move(pair), [this, id, on_done](const Result<Outcome>& outcome) {
        --outstanding_;
        on_done(id, outcome);
      });
    }
  }
  int outstanding() const { return outstanding_; }

 private:
  Store& store_;
  int64_t next_;
  int outstanding_ = 0;
};

struct Seen {
  std::map<std::string, int64_t> keys = {};  // and when they were put
  int64_t last = 0;

  void Follow(Store& store) {
    store.Watch(WithPrefix("/updraft/"), 2,
                {.on_events =
                     [this](const EventBatch& batch) {
                       for (const Event& event : batch.events) {
                         EXPECT_GE(event.entry.mod_revision, last) << "out of order";
                         last = event.entry.mod_revision;
                         EXPECT_TRUE(keys.emplace(event.entry.key, last).second) << "told twice";
                       }
                     },
                 .on_end = [](const Error& error) { ADD_FAILURE() << error.message; }});
  }
};

// What is in the store is whole, what a watch told is what is there, and nothing acknowledged is
// missing or has another revision.
void CheckAll(CallbackQueue& queue, Store& store, const Seen& seen,
              const std::map<int64_t, int64_t>& acknowledged) {
  const Result<RangeResult> all = Await<RangeResult>(queue, [&](Done<RangeResult> done) {
    store.Range({.keys = WithPrefix("/updraft/")}, std::move(done));
  });
  ASSERT_TRUE(all) << all.error().message;
  std::map<std::string, int64_t> there;
  for (const KeyValue& entry : all->entries) there[entry.key] = entry.mod_revision;
  EXPECT_EQ(there, seen.keys) << "the watch left something out";
  const auto revision = [&there](const std::string& key) {
    const auto it = there.find(key);
    return it == there.end() ? 0 : it->second;
  };
  for (const auto& [key, at] : there) {
    const std::string id = key.substr(sizeof("/updraft/a/") - 1);
    EXPECT_EQ(revision("/updraft/a/" + id), revision("/updraft/b/" + id)) << "half a transaction";
  }
  for (const auto& [id, at] : acknowledged) {
    EXPECT_EQ(revision("/updraft/a/" + std::to_string(id)), at) << "an acknowledged write is lost";
  }
}

// Does what is due and has its answer, which is one callback.
void Turn(CallbackQueue& queue, lease::Candidate& candidate) {
  candidate.Tick();
  int callbacks = 0;
  queue.RunUntil([&callbacks] { return callbacks++ == 1; });
}

TEST_F(EtcdStoreTest, TheLeadGoesToAnotherWhenItsHolderIsGoneAndTheHoldersWritesAreRefused) {
  const EtcdProcess etcd({.folder = folder_ / "etcd", .flags = {"--unsafe-no-fsync"}});
  CallbackQueue queue;
  FakeClock clock;
  auto first_store = Open({etcd.endpoint()}, queue);
  const auto second_store = Open({etcd.endpoint()}, queue);
  auto first = std::make_unique<lease::Candidate>(
      lease::CandidateOptions{.key = "/updraft/leader", .identity = "first"}, *first_store, clock);
  lease::Candidate second({.key = "/updraft/leader", .identity = "second"}, *second_store, clock);
  const auto fenced = [&queue](Store& store, const Condition& fence) {
    return Await<Outcome>(queue, [&](Done<Outcome> done) {
      store.Commit({{fence}, {{.key = "/updraft/work", .value = "v"}}}, std::move(done));
    });
  };

  Turn(queue, *first);  // looks: nobody leads
  Turn(queue, second);
  Turn(queue, *first);  // takes it
  Turn(queue, second);  // was as fast, but etcd has one order
  ASSERT_TRUE(first->Leads());
  ASSERT_FALSE(second.Leads());
  const Condition fence = first->Fence();
  Result<Outcome> written = fenced(*first_store, fence);
  ASSERT_TRUE(written && written->applied);

  // Two renewals keep it, and leave the fence as it was.
  for (int i = 0; i < 2; ++i) {
    clock.Advance(Seconds(2));
    Turn(queue, *first);
    Turn(queue, second);
  }
  ASSERT_TRUE(first->Leads());
  EXPECT_EQ(second.leader(), "first");
  EXPECT_EQ(first->Fence().mod_revision, fence.mod_revision);
  written = fenced(*first_store, fence);
  EXPECT_TRUE(written && written->applied);

  // Its connection ends without a word.
  first.reset();
  first_store.reset();
  int seconds = 0;
  for (; seconds < 20 && !second.Leads(); ++seconds) {
    clock.Advance(Seconds(1));
    Turn(queue, second);
    if (seconds < 5) {
      EXPECT_FALSE(second.Leads()) << "before the lease ran out";
    }
    if (seconds == 5) Turn(queue, second);  // it has seen that the lead is vacant, and takes it
  }
  ASSERT_TRUE(second.Leads());
  EXPECT_EQ(seconds, 6);
  const auto late_store = Open({etcd.endpoint()}, queue);
  written = fenced(*late_store, fence);
  ASSERT_TRUE(written) << written.error().message;
  EXPECT_FALSE(written->applied) << "a write of the first one's term";
  EXPECT_EQ(written->conflict_revision, second.Fence().mod_revision);
  written = fenced(*second_store, second.Fence());
  EXPECT_TRUE(written && written->applied);

  // Who resigns is followed at once.
  std::optional<Status> resigned;
  const Condition second_fence = second.Fence();
  second.Resign([&resigned](Status status) { resigned = std::move(status); });
  queue.RunUntil([&resigned] { return resigned.has_value(); });
  EXPECT_TRUE(*resigned);
  EXPECT_FALSE(second.Leads());
  written = fenced(*second_store, second_fence);
  EXPECT_TRUE(written && !written->applied);
  lease::Candidate third({.key = "/updraft/leader", .identity = "third"}, *late_store, clock);
  Turn(queue, third);
  Turn(queue, third);
  EXPECT_TRUE(third.Leads());
}

TEST_F(EtcdStoreTest, NothingAcknowledgedIsLostWhenEtcdIsKilled) {
  constexpr unsigned kSeed = 4;
  std::mt19937 random(kSeed);
  EtcdProcess etcd({.folder = folder_ / "etcd"});  // it syncs: durability is the subject
  CallbackQueue queue;
  const auto store = Open({etcd.endpoint()}, queue);
  Seen seen;
  seen.Follow(*store);
  PairWriter writer(*store, 1);
  std::map<int64_t, int64_t> acknowledged;
  int unknown = 0;
  for (int round = 0; round < 4; ++round) {
    const size_t until = acknowledged.size() + 200 + random() % 400;
    while (acknowledged.size() < until) {
      writer.Fill([&](int64_t id, const Result<Outcome>& outcome) {
        if (outcome) {
          EXPECT_TRUE(outcome->applied);
          acknowledged[id] = outcome->revision;
        } else {
          EXPECT_EQ(outcome.error().code, Code::kUnavailable) << outcome.error().message;
          ++unknown;
        }
      });
      const int before = writer.outstanding();
      queue.RunUntil([&] { return writer.outstanding() < before; });
    }
    etcd.Kill();
    etcd.Start();
  }
  queue.RunUntil([&] { return writer.outstanding() == 0; });
  const Result<Bounds> bounds = ReadBounds(queue, *store);  // the watch has caught up
  ASSERT_TRUE(bounds) << bounds.error().message;
  CheckAll(queue, *store, seen, acknowledged);
  RecordProperty("acknowledged", static_cast<int>(acknowledged.size()));
  RecordProperty("unknown", unknown);
  EXPECT_GT(acknowledged.size(), 1000u);
}

constexpr char kWriterVariable[] = "UPDRAFT_ETCD_WRITER";  // "ENDPOINT DESCRIPTOR FIRST"

// The process that the next test kills.
TEST_F(EtcdStoreTest, DISABLED_WritesUntilItIsKilled) {
  const char* told = getenv(kWriterVariable);
  ASSERT_NE(told, nullptr);
  std::istringstream words(told);
  std::string endpoint;
  int report = -1;
  int64_t first = 0;
  words >> endpoint >> report >> first;
  CallbackQueue queue;
  const auto store = Open({endpoint}, queue);
  PairWriter writer(*store, first);
  while (true) {
    writer.Fill([report](int64_t id, const Result<Outcome>& outcome) {
      if (!outcome || !outcome->applied) _exit(2);
      const int64_t line[] = {id, outcome->revision};
      if (write(report, line, sizeof(line)) != sizeof(line)) _exit(3);
    });
    const int before = writer.outstanding();
    queue.RunUntil([&] { return writer.outstanding() < before; });
  }
}

pid_t StartWriter(const std::string& endpoint, int report, int64_t first) {
  const std::string told = std::string(kWriterVariable) + "=" + endpoint + " " +
                           std::to_string(report) + " " + std::to_string(first);
  const pid_t child = fork();
  if (child != 0) return child;
  char program[] = "/proc/self/exe";
  char filter[] = "--gtest_filter=*DISABLED_WritesUntilItIsKilled";
  char disabled[] = "--gtest_also_run_disabled_tests";
  char* arguments[] = {program, filter, disabled, nullptr};
  char* environment[] = {const_cast<char*>(told.c_str()), nullptr};
  execve(program, arguments, environment);
  _exit(1);
}

TEST_F(EtcdStoreTest, NothingAcknowledgedIsLostWhenItsWriterIsKilled) {
  constexpr unsigned kSeed = 5;
  std::mt19937 random(kSeed);
  EtcdProcess etcd({.folder = folder_ / "etcd", .flags = {"--unsafe-no-fsync"}});
  CallbackQueue queue;
  const auto store = Open({etcd.endpoint()}, queue);
  Seen seen;
  seen.Follow(*store);
  std::map<int64_t, int64_t> acknowledged;
  int64_t first = 1;
  for (int round = 0; round < 3; ++round) {
    int report[2];
    ASSERT_EQ(pipe(report), 0);
    const pid_t child = StartWriter(etcd.endpoint(), report[1], first);
    close(report[1]);
    const size_t kill_after = 300 + random() % 1200;
    size_t heard = 0;
    // The pipe may hold acknowledgements from before the kill: they count too.
    int64_t line[2];
    while (read(report[0], line, sizeof(line)) == sizeof(line)) {
      acknowledged[line[0]] = line[1];
      if (++heard == kill_after) kill(child, SIGKILL);
    }
    close(report[0]);
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        << "the writer failed by itself: " << status;
    first = acknowledged.rbegin()->first + 2 * kOutstanding;  // beyond what may have been under way
    ASSERT_TRUE(ReadBounds(queue, *store));
    CheckAll(queue, *store, seen, acknowledged);
  }
  RecordProperty("acknowledged", static_cast<int>(acknowledged.size()));
  EXPECT_GT(acknowledged.size(), 1000u);
}

TEST_F(EtcdStoreTest, MembersThatDieArePassedOverAndWatchesGoOn) {
  const auto cluster = EtcdProcess::StartCluster(folder_, 3);
  CallbackQueue queue;
  // The first one was never there.
  const auto store =
      Open({"127.0.0.1:1", cluster[0]->endpoint(), cluster[1]->endpoint(), cluster[2]->endpoint()},
           queue);
  Seen seen;
  seen.Follow(*store);
  const Result<Outcome> before = Put(queue, *store, "before");
  ASSERT_TRUE(before) << before.error().message;
  for (const auto& member : cluster) {
    member->Kill();
    // What is under way when a member dies may fail, or leave it open whether it happened.
    const std::string key = "after/" + member->endpoint();
    Result<Outcome> written = Put(queue, *store, key);
    for (int attempt = 0; !written && attempt < 20; ++attempt)
      written = Put(queue, *store, key + "/again");
    EXPECT_TRUE(written) << written.error().message;
    queue.RunUntil([&] { return seen.last >= written->revision; });
    member->Start();
  }
  EXPECT_TRUE(seen.keys.contains("/updraft/before"));
}

TEST_F(EtcdStoreTest, NoEndpointThatAnswersIsAnErrorInTime) {
  CallbackQueue queue;
  EtcdOptions options;
  options.endpoints = {"127.0.0.1:1", "127.0.0.1:2"};
  options.patience = Millis(200);
  const auto store = *EtcdStore::Open(options, queue.post());
  const Result<Outcome> outcome = Put(queue, *store, "k");
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Code::kUnavailable);
  EXPECT_NE(outcome.error().message.find("no etcd endpoint answers"), std::string::npos)
      << outcome.error().message;
}

TEST_F(EtcdStoreTest, KeysOfOthersAreNeitherSeenNorTouched) {
  EtcdProcess etcd({.folder = folder_ / "etcd", .flags = {"--unsafe-no-fsync"}});
  CallbackQueue queue;
  EtcdOptions options;
  options.endpoints = {etcd.endpoint()};
  options.root = "/updraft/";
  const auto ours = *EtcdStore::Open(options, queue.post());
  options.prefix = "/team";
  const auto theirs = *EtcdStore::Open(options, queue.post());
  Seen seen;
  seen.Follow(*ours);
  ASSERT_TRUE(Put(queue, *theirs, "k"));
  ASSERT_TRUE(Put(queue, *ours, "k"));
  EXPECT_TRUE(ReadBounds(queue, *ours));
  EXPECT_THAT(seen.keys, testing::SizeIs(1));
  EXPECT_GE(seen.last, 3) << "revisions count what others do too";
  const Result<Outcome> outside = Await<Outcome>(queue, [&](Done<Outcome> done) {
    ours->Commit({{}, {{.key = "/registry/pods/a", .value = "v"}}}, std::move(done));
  });
  EXPECT_EQ(outside.error().code, Code::kInvalidArgument);
  // The end of the range is beyond ours: the other's are not in it.
  const Result<RangeResult> all = Await<RangeResult>(queue, [&](Done<RangeResult> done) {
    ours->Range({.keys = {"", ""}}, std::move(done));
  });
  EXPECT_THAT(all->entries, testing::SizeIs(1));
}

TEST_F(EtcdStoreTest, OverTlsBothSidesShowTheirCertificates) {
  const std::string in_folder = "cd " + folder_.string() + " && ";
  const auto run = [&in_folder](const std::string& command) {
    return system((in_folder + command + " > /dev/null 2>&1").c_str());
  };
  constexpr char kKey[] = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 ";
  ASSERT_EQ(
      run(std::string("openssl req -x509 ") + kKey + "-subj /CN=ca -keyout ca.key -out ca.pem"), 0);
  for (const std::string name : {"server", "client"}) {
    ASSERT_EQ(run(std::string("openssl req ") + kKey + "-subj /CN=" + name + " -keyout " + name +
                  ".key -out " + name + ".csr"),
              0);
    ASSERT_EQ(run("echo subjectAltName=IP:127.0.0.1 > san && openssl x509 -req -days 1 -extfile "
                  "san -in " +
                  name + ".csr -CA ca.pem -CAkey ca.key -CAcreateserial -out " + name + ".pem"),
              0);
  }
  const auto path = [this](const std::string& name) { return (folder_ / name).string(); };
  EtcdProcess etcd(
      {.folder = folder_ / "etcd",
       .flags = {"--unsafe-no-fsync", "--client-cert-auth", "--trusted-ca-file=" + path("ca.pem"),
                 "--cert-file=" + path("server.pem"), "--key-file=" + path("server.key")},
       .tls = true});
  CallbackQueue queue;
  const EtcdTls mutual{.ca = path("ca.pem"), .cert = path("client.pem"), .key = path("client.key")};
  const auto store = Open({etcd.endpoint()}, queue, mutual);
  const Result<Outcome> written = Put(queue, *store, "k");
  EXPECT_TRUE(written) << written.error().message;

  EtcdOptions options;
  options.endpoints = {etcd.endpoint()};
  options.tls = {.ca = path("ca.pem")};
  options.patience = Millis(300);
  const auto nameless = *EtcdStore::Open(options, queue.post());
  EXPECT_FALSE(Put(queue, *nameless, "k"));
}

}  // namespace
}  // namespace updraft::store
