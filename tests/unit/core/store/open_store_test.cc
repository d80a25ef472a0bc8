#include "core/store/open_store.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "tests/contract/store/callback_queue.h"

namespace updraft::store {
namespace {

TEST(OpenStoreTest, RefusesWhatItDoesNotKnow) {
  CallbackQueue queue;
  const FakeClock clock;
  for (const char* spec : {"", "sqlite", "sqlite:", "etcd", "/var/lib/store.db", "memory", "etcd:",
                           "etcd://", "etcd://a,", "etcd://,a", "etcd://a:", "etcd://a:port",
                           "etcd://a:1:2", "etcd://user@a:1", "etcd:///prefix"}) {
    const Result<std::unique_ptr<Store>> store = OpenStore(spec, clock, queue.post());
    ASSERT_FALSE(store) << spec;
    EXPECT_EQ(store.error().code, Code::kInvalidArgument);
  }
}

TEST(EtcdOptionsTest, AreReadFromTheFlag) {
  const Result<EtcdOptions> one = ParseEtcdSpec("etcd://db");
  ASSERT_TRUE(one);
  EXPECT_EQ(one->endpoints, std::vector<std::string>{"db:2379"});
  EXPECT_EQ(one->prefix, "");
  const Result<EtcdOptions> many =
      ParseEtcdSpec("etcd://10.0.0.1:1,[::1]:2379,[fd00::2],c.example/teams/a/");
  ASSERT_TRUE(many);
  EXPECT_EQ(many->endpoints, (std::vector<std::string>{"10.0.0.1:1", "[::1]:2379", "[fd00::2]:2379",
                                                       "c.example:2379"}));
  EXPECT_EQ(many->prefix, "/teams/a");
}

TEST(OpenStoreTest, ACertificateThatCannotBeReadIsAnErrorAtOnce) {
  CallbackQueue queue;
  const FakeClock clock;
  const EtcdTls tls{.ca = "/nonexistent/ca.pem"};
  const Result<std::unique_ptr<Store>> store =
      OpenStore("etcd://localhost", clock, queue.post(), tls);
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, Code::kFailedPrecondition);
  EXPECT_NE(store.error().message.find("/nonexistent/ca.pem"), std::string::npos);
}

TEST(OpenStoreTest, AMemoryStoreStartsBeyondAllRevisionsOfAnEarlierOne) {
  CallbackQueue queue;
  FakeClock clock;
  const auto start = [&] {
    const Result<std::unique_ptr<Store>> store = OpenStore("memory:", clock, queue.post());
    return Await<Bounds>(queue,
                         [&](Done<Bounds> done) { store.value()->ReadBounds(std::move(done)); })
        ->current;
  };
  const int64_t first = start();
  clock.Advance(Seconds(1));
  EXPECT_GE(start(), first + 1'000'000);
}

TEST(OpenStoreTest, OpensAnSqliteFileByItsPath) {
  CallbackQueue queue;
  const FakeClock clock;
  const auto folder =
      std::filesystem::temp_directory_path() / ("updraft-open-" + std::to_string(getpid()));
  const std::string path = (folder / "controller" / "store.db").string();
  EXPECT_TRUE(OpenStore("sqlite:" + path, clock, queue.post()));
  EXPECT_TRUE(std::filesystem::exists(path));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace updraft::store
