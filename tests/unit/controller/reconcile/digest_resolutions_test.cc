#include "controller/reconcile/digest_resolutions.h"

#include <gtest/gtest.h>

#include "controller/objects/completion.h"
#include "tests/unit/controller/reconcile/builders.h"

namespace updraft::controller {
namespace {

// Answers when it is told to.
class SlowRegistry : public ImageResolver {
 public:
  http::Task<Result<std::string>> Resolve(std::string image, std::vector<v1::ImageAuth>) override {
    asked.push_back(std::move(image));
    Completion<Result<std::string>> answer;
    answers.push_back(answer.callback());
    Result<std::string> digest = co_await answer;
    co_return digest;
  }

  std::vector<std::string> asked;
  std::vector<std::function<void(Result<std::string>)>> answers;
};

class DigestResolutionsTest : public testing::Test {
 protected:
  void Start() { resolutions_.Start(revision_, "x.io/hello", {}, 0); }
  ImageResolution Hello() { return resolutions_.Of(revision_)["x.io/hello"]; }

  const ObjectKey revision_{resource::kRevisions, "default", "hello-00001"};
  SlowRegistry registry_;
  FakeClock clock_;
  int done_ = 0;
  DigestResolutions resolutions_{registry_, clock_, [this](const ObjectKey&) { ++done_; }};
};

TEST_F(DigestResolutionsTest, AnImageIsAskedForOnceAtATime) {
  Start();
  Start();
  EXPECT_EQ(registry_.asked.size(), 1u);
  EXPECT_TRUE(Hello().under_way);
  registry_.answers[0](std::string("sha256:abc"));
  EXPECT_EQ(done_, 1);
  EXPECT_FALSE(Hello().under_way);
  EXPECT_EQ(Hello().outcome->value(), "sha256:abc");
}

TEST_F(DigestResolutionsTest, FailuresAreTriedAgainLaterAndLater) {
  std::vector<Nanos> waits;
  for (size_t i = 0; i < 8; ++i) {
    Start();
    registry_.answers[i](Error{Code::kUnavailable, "no route to host"});
    waits.push_back(Hello().retry_at - clock_.Wall());
  }
  EXPECT_EQ(waits.front(), Millis(500));
  EXPECT_EQ(waits[3], Seconds(4));
  EXPECT_EQ(waits.back(), Seconds(30));
}

TEST_F(DigestResolutionsTest, TheAnswerToAForgottenQuestionIsIgnored) {
  Start();
  resolutions_.Forget(revision_);
  Start();
  registry_.answers[0](std::string("sha256:old"));
  EXPECT_EQ(done_, 0);
  EXPECT_TRUE(Hello().under_way);
  registry_.answers[1](std::string("sha256:new"));
  EXPECT_EQ(Hello().outcome->value(), "sha256:new");
}

}  // namespace
}  // namespace updraft::controller
