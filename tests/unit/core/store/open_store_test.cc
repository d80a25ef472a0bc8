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
  for (const char* spec : {"", "sqlite", "sqlite:", "etcd", "/var/lib/store.db", "memory"}) {
    const Result<std::unique_ptr<Store>> store = OpenStore(spec, clock, queue.post());
    ASSERT_FALSE(store) << spec;
    EXPECT_EQ(store.error().code, Code::kInvalidArgument);
  }
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
