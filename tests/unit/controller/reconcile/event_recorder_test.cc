#include "controller/reconcile/event_recorder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/store/memory_store.h"
#include "tests/contract/store/callback_queue.h"
#include "tests/unit/controller/objects/run_task.h"
#include "tests/unit/controller/reconcile/builders.h"

namespace updraft::controller {
namespace {

constexpr auto kNormal = RecordEvent::Type::kNormal;

class EventRecorderTest : public testing::Test {
 protected:
  EventRecorderTest() { EXPECT_TRUE(RunTask(queue_, soft_.Load())); }

  void Record(const std::string& about, const std::string& message) {
    events_.Record(ServiceObject(about), {kNormal, "Created", message}, "updraft-controller");
  }
  std::vector<JsonPtr> Stored(std::string_view ns = "") {
    queue_.RunPending();
    return soft_.List(resource::kEvents, ns).objects;
  }

  store::CallbackQueue queue_;
  store::MemoryStore store_{queue_.post()};
  ObjectStore soft_{store_};
  FakeClock clock_;
  uint64_t last_random_ = 0;
  EventRecorder events_{soft_, clock_, [this] { return ++last_random_; }, {.events_max = 3}};
};

TEST_F(EventRecorderTest, AnEventTellsWhatAboutWhom) {
  Record("hello", "Created Route \"hello\"");
  ASSERT_EQ(Stored().size(), 1u);
  const Json event = *Stored().front();
  EXPECT_EQ(event["kind"], "Event");
  EXPECT_EQ(event["metadata"]["namespace"], "default");
  EXPECT_TRUE(api::NameOf(event).starts_with("hello."));
  EXPECT_EQ(event["involvedObject"]["kind"], "Service");
  EXPECT_EQ(event["involvedObject"]["name"], "hello");
  EXPECT_EQ(event["involvedObject"]["uid"], "Service-hello-uid");
  EXPECT_EQ(event["reason"], "Created");
  EXPECT_EQ(event["message"], "Created Route \"hello\"");
  EXPECT_EQ(event["type"], "Normal");
  EXPECT_EQ(event["count"], 1);
  EXPECT_EQ(event["source"]["component"], "updraft-controller");
}

TEST_F(EventRecorderTest, TheSameAgainIsCounted) {
  Record("hello", "x");
  const std::string first = (*Stored().front())["firstTimestamp"];
  clock_.Advance(Seconds(5));
  Record("hello", "x");
  Record("hello", "x");
  Record("hello", "y");
  const auto stored = Stored();
  ASSERT_EQ(stored.size(), 2u);
  const Json& x = (*stored[0])["message"] == "x" ? *stored[0] : *stored[1];
  EXPECT_EQ(x["count"], 3);
  EXPECT_EQ(x["firstTimestamp"], first);
  EXPECT_NE(x["lastTimestamp"], first);
}

TEST_F(EventRecorderTest, TheLongestSilentGoWhenThereAreTooMany) {
  for (const char* name : {"a", "b", "c"}) {
    Record(name, "x");
    clock_.Advance(Seconds(1));
  }
  Record("a", "x");
  Record("d", "x");
  std::vector<std::string> about;
  for (const JsonPtr& event : Stored()) about.push_back((*event)["involvedObject"]["name"]);
  EXPECT_THAT(about, testing::UnorderedElementsAre("a", "c", "d"));
  EXPECT_EQ(events_.size(), 3u);
}

TEST_F(EventRecorderTest, OldOnesGo) {
  Record("a", "x");
  clock_.Advance(std::chrono::minutes(50));
  Record("b", "x");
  clock_.Advance(std::chrono::minutes(10));
  events_.Prune();
  EXPECT_EQ(Stored().size(), 1u);
  Record("a", "x");
  EXPECT_EQ(Stored().size(), 2u) << "it begins anew";
}

TEST_F(EventRecorderTest, ANamespaceTakesItsEventsAlong) {
  Record("a", "x");
  Json other = ServiceObject("b");
  other["metadata"]["namespace"] = "other";
  events_.Record(other, {kNormal, "Created", "x"}, "updraft-controller");
  EXPECT_EQ(Stored().size(), 2u);
  Json foreign = Object("v1", "Event", "from-a-client");
  foreign["metadata"]["namespace"] = "other";
  EXPECT_TRUE(RunTask(queue_, soft_.Create(KeyOf(foreign, resource::kEvents), foreign)));
  EXPECT_EQ(Stored().size(), 3u);
  events_.ForgetNamespace("other");
  EXPECT_EQ(Stored().size(), 1u);
  EXPECT_EQ(Stored("other").size(), 0u);
  events_.Record(other, {kNormal, "Killing", "x"}, "updraft-node-agent");  // by an instance that stops last
  EXPECT_EQ(Stored("other").size(), 0u);
  events_.ExpectNamespace("other");
  events_.Record(other, {kNormal, "Created", "y"}, "updraft-controller");
  EXPECT_EQ(Stored("other").size(), 1u);
}

TEST_F(EventRecorderTest, LongMessagesAreCutBetweenCharacters) {
  std::string umlauts;
  for (int i = 0; i < 1000; ++i) umlauts += "\xC3\xBC";
  Record("a", "x" + umlauts);
  const std::string message = (*Stored().front())["message"];
  EXPECT_EQ(message.size(), 1023u);
  EXPECT_EQ(message.back(), '\xBC');
}

}  // namespace
}  // namespace updraft::controller
