#include "tests/integration/image/image_test.h"

#include <sched.h>
#include <sys/mount.h>

#include "core/base/check.h"

namespace updraft::node_agent {

std::unique_ptr<ImageLab> ImageTest::lab_;

void ImageTest::SetUpTestSuite() {
  const std::string obstacle = ImageLab::Obstacle();
  if (!obstacle.empty()) GTEST_SKIP() << obstacle;
  // No name can be looked up, nothing outside be reached.
  ASSERT_EQ(unshare(CLONE_NEWNET | CLONE_NEWNS), 0);
  ASSERT_EQ(mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
  MustRun({"ip", "link", "set", "lo", "up"});
  lab_ = std::make_unique<ImageLab>();
}

void ImageTest::TearDownTestSuite() { lab_.reset(); }

void ImageTest::SetUp() {
  if (lab_ == nullptr) GTEST_SKIP() << ImageLab::Obstacle();
}

void ImageTest::TearDown() {
  if (lab_ != nullptr) lab_->Clear();
}

void ImageTest::Await(const std::string& what, const std::function<bool()>& condition) {
  const TimePoint deadline = RealClock().Now() + Seconds(20);
  while (!condition()) {
    ASSERT_LT(RealClock().Now(), deadline) << "waited in vain: " << what;
    sched_yield();
  }
}

RegistriesConfig ImageTest::Registries(const std::string& yaml) {
  auto config = ParseRegistries(yaml, "registries.yaml");
  UPDRAFT_CHECK(config.has_value());
  return *config;
}

}  // namespace updraft::node_agent
