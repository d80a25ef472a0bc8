// How far back clients may go: watches and parts of lists, on each store. etcd is a real one, where
// it is installed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "core/api/access.h"
#include "tests/contract/store/etcd_process.h"
#include "tests/integration/api/raw_client.h"

namespace updraft::controller {
namespace {

constexpr char kMapsPath[] = "/api/v1/namespaces/default/configmaps";
constexpr ObjectStoreOptions kShort{.history_changes_max = 4};

class ApiHistoryTest : public testing::TestWithParam<std::string> {
 protected:
  ApiHistoryTest() {
    folder_ =
        std::filesystem::temp_directory_path() / ("updraft-history-" + std::to_string(getpid()));
    std::filesystem::remove_all(folder_);
    if (GetParam() == "sqlite") spec_ = "sqlite:" + (folder_ / "store.db").string();
    if (GetParam() != "etcd" || !store::EtcdProcess::Installed()) return;
    etcd_ = std::make_unique<store::EtcdProcess>(store::EtcdProcess::Member{
        .folder = (folder_ / "etcd").string(), .flags = {"--unsafe-no-fsync"}});
    spec_ = "etcd://" + etcd_->endpoint() + "/history";
  }
  ~ApiHistoryTest() override {
    platform_.reset();
    etcd_.reset();
    std::filesystem::remove_all(folder_);
  }

  void SetUp() override {
    if (GetParam() == "etcd" && !etcd_) GTEST_SKIP() << "no etcd is installed";
  }

  // Once more: what a restarted controller knows.
  void Begin(ObjectStoreOptions history = {}) {
    platform_.reset();
    platform_ = std::make_unique<ApiPlatform>(history, spec_);
  }
  void Make(int from, int to) {
    for (int i = from; i < to; ++i) {
      const Json map = {{"apiVersion", "v1"},
                        {"kind", "ConfigMap"},
                        {"metadata", {{"name", "m" + std::to_string(100 + i)}}}};
      const Reply made =
          Send(*platform_, "POST", kMapsPath, map.dump(), {{"Content-Type", "application/json"}});
      EXPECT_EQ(made.status, 201) << made.body;
    }
  }
  Reply List(const std::string& query) {
    return Send(*platform_, "GET", std::string(kMapsPath) + "?" + query);
  }
  // What a client would go on with after the first of several.
  std::string FirstPart() {
    return api::StringAt(List("limit=1").json(), {"metadata", "continue"});
  }
  std::string Version() {
    return api::StringAt(List("limit=1").json(), {"metadata", "resourceVersion"});
  }
  // Stores compact when they come to it.
  Reply ListUntilExpired(const std::string& token) {
    const TimePoint deadline = RealClock().Now() + Seconds(10);
    Reply reply = List("limit=1&continue=" + token);
    while (reply.status == 200 && RealClock().Now() < deadline)
      reply = List("limit=1&continue=" + token);
    return reply;
  }
  void ExpectExpired(const std::string& version) {
    WatchClient watch(platform_->port(),
                      std::string(kMapsPath) + "?watch=true&resourceVersion=" + version);
    const Json event = watch.Next();
    EXPECT_EQ(event["type"], "ERROR") << event;
    EXPECT_EQ(event["object"]["code"], 410);
    EXPECT_EQ(event["object"]["reason"], "Expired");
    EXPECT_TRUE(watch.Next().is_null());
  }
  // Another controller, or whoever looks after the store.
  void Compact() {
    std::promise<bool> done;
    platform_->OnLoop([this, &done] {
      platform_->durable_store().Compact(platform_->durable().revision(),
                                         [&done](const Result<std::monostate>& compacted) {
                                           done.set_value(compacted.has_value());
                                         });
    });
    EXPECT_TRUE(done.get_future().get());
  }

  std::filesystem::path folder_;
  std::string spec_;
  std::unique_ptr<store::EtcdProcess> etcd_;
  std::unique_ptr<ApiPlatform> platform_;
};

TEST_P(ApiHistoryTest, WatchesFromTooLongAgoExpire) {
  Begin(kShort);
  const std::string old = Version();
  Make(0, 10);
  ExpectExpired(old);
}

TEST_P(ApiHistoryTest, PartsOfListsFromTooLongAgoExpire) {
  Begin(kShort);
  Make(0, 3);
  const std::string token = FirstPart();
  Make(3, 30);
  const Reply expired = ListUntilExpired(token);
  EXPECT_EQ(expired.status, 410) << expired.body;
  EXPECT_EQ(expired.json()["reason"], "Expired");
  // What it may go on with all the same, though not as of then.
  const Json rest =
      List("continue=" + api::StringAt(expired.json(), {"metadata", "continue"})).json();
  EXPECT_EQ(rest["items"].size(), 29U);
}

TEST_P(ApiHistoryTest, PartsOfListsAreAsOfTheFirstUntilTheStoreIsCompacted) {
  Begin();
  Make(0, 3);
  const std::string token = FirstPart();
  Make(3, 6);
  const Reply rest = List("continue=" + token);
  EXPECT_EQ(rest.status, 200) << rest.body;
  EXPECT_EQ(rest.json()["items"].size(), 2U);
  Compact();
  const Reply expired = List("continue=" + token);
  EXPECT_EQ(expired.status, 410) << expired.body;
  EXPECT_EQ(expired.json()["reason"], "Expired");
}

TEST_P(ApiHistoryTest, WhatWasCompactedHasExpiredForARestartedController) {
  if (GetParam() == "memory") GTEST_SKIP() << "nothing outlives its process";
  Begin();
  Make(0, 3);
  const std::string old = Version();
  const std::string token = FirstPart();
  Make(3, 6);
  Compact();
  const std::string compacted = Version();
  Make(6, 8);
  Begin();
  ExpectExpired(old);
  EXPECT_EQ(List("continue=" + token).status, 410);
  // Nothing that happened since then is missed.
  WatchClient watch(platform_->port(),
                    std::string(kMapsPath) + "?watch=true&resourceVersion=" + compacted);
  EXPECT_EQ(watch.Next()["object"]["metadata"]["name"], "m106");
  EXPECT_EQ(watch.Next()["object"]["metadata"]["name"], "m107");
}

INSTANTIATE_TEST_SUITE_P(Each, ApiHistoryTest, testing::Values("memory", "sqlite", "etcd"),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace updraft::controller
