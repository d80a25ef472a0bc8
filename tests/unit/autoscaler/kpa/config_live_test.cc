// Every key of config-autoscaler, changed while a revision runs: the next decision is another one.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <set>

#include "autoscaler/kpa/fleet.h"
#include "core/api/autoscaler_config.h"
#include "core/api/config_example.h"

namespace updraft::autoscaler {
namespace {

constexpr char kUnder[] = "autoscaling.knative.dev/";

// A fleet of one revision, and the seconds of its life.
class World {
 public:
  // `key` is written to the ConfigMap when Change() is called; without one nothing changes.
  World(std::string key, std::string value) : key_(std::move(key)), value_(std::move(value)) {
    fleet_.ActivatorConnected("a", 1);
    target_.container_concurrency = 10;
    target_.ready = 1;
    target_.initialized = true;
  }

  Target& target() { return target_; }
  void Annotate(const std::string& name, const std::string& value) { target_.annotations[kUnder + name] = value; }
  void Put() { fleet_.Put("ns/r", target_, now_); }

  void Change() {
    std::map<std::string, std::string> keys;
    if (!key_.empty()) keys[key_] = value_;
    const auto defaults = api::ParseAutoscalerConfig(keys);
    ASSERT_TRUE(defaults) << defaults.error().message;
    fleet_.SetDefaults(*defaults, now_);
  }

  // So many seconds in which so many requests run and arrive, with a decision at every second one.
  void Pass(int seconds, double load) {
    for (int i = 0; i < seconds; ++i) {
      now_ += Seconds(1);
      area_ += load;
      arrivals_ += static_cast<uint64_t>(load);
      fleet_.Report("a", {{"ns/r", {.request_seconds = area_, .request_count = arrivals_}}}, false, now_);
      if (i % 2 == 1) fleet_.Tick(now_);
    }
  }

  void Follow(int seconds) {  // idle, with instances as decided
    for (int i = 0; i < seconds; i += 2) {
      Pass(2, 0);
      target_.ready = *decision().desired;
      Put();
    }
  }

  Decision decision() const { return fleet_.All()[0].decision; }
  int desired() const { return decision().desired.value_or(-1); }

 private:
  const std::string key_;
  const std::string value_;
  Fleet fleet_{Defaults{}};
  Target target_;
  TimePoint now_{Seconds(50'000)};
  double area_ = 0;
  uint64_t arrivals_ = 0;
};

struct LiveKey {
  std::string key;
  std::string value;
  double before;  // what is seen while the key is not set
  double after;
  std::function<double(World&)> play;
};

// The revision is there when the key changes, unless the key counts at a revision's birth.
double Load21(World& world) {
  world.Put();
  world.Pass(10, 21);
  world.Change();
  world.Pass(2, 21);
  return world.desired();
}

double CalmThenLoad21(World& world, int ready, int seconds) {
  world.target().ready = ready;
  world.Put();
  world.Change();
  world.Pass(70, 0);  // a panic of birth is over
  world.Pass(seconds, 21);
  return world.desired();
}

double IdleToTheEnd(World& world) {
  world.Annotate("window", "6s");
  world.Put();
  world.Change();
  world.Follow(20);
  return world.desired();
}

const std::vector<LiveKey>& LiveKeys() {
  static const std::vector<LiveKey> keys = {
      // ceil(21 / (10 * 0.7)) = 3, ceil(21 / (10 * 0.35)) = 6.
      {"container-concurrency-target-percentage", "35", 3, 6, Load21},
      // Without a limit: ceil(21 / 70) = 1, ceil(21 / (10 * 0.7)) = 3.
      {"container-concurrency-target-default", "10", 1, 3,
       [](World& world) {
         world.target().container_concurrency = 0;
         return Load21(world);
       }},
      // ceil(21 / 140) = 1, ceil(21 / (10 * 0.7)) = 3.
      {"requests-per-second-target-default", "10", 1, 3,
       [](World& world) {
         world.Annotate("metric", "rps");
         return Load21(world);
       }},
      // 10 - 211 - 21, 10 - 5 - 21.
      {"target-burst-capacity", "5", -222, -16,
       [](World& world) {
         Load21(world);
         return world.decision().excess_burst_capacity;
       }},
      // Twelve seconds of 21: 21 * 12 / 60 is one instance's load, 21 of the last six seconds three's.
      {"stable-window", "6s", 1, 3, [](World& world) { return CalmThenLoad21(world, 3, 12); }},
      // Six seconds of 21: panic over six seconds; 21 * 6 / 30 = 4.2, and no panic, over thirty.
      {"panic-window-percentage", "50", 3, 1, [](World& world) { return CalmThenLoad21(world, 1, 6); }},
      // 3 / 1 >= 2, 3 / 1 < 10.
      {"panic-threshold-percentage", "1000", 3, 1, [](World& world) { return CalmThenLoad21(world, 1, 6); }},
      // ceil(2 * 1).
      {"max-scale-up-rate", "2", 3, 2,
       [](World& world) {
         world.Put();
         world.Change();
         world.Pass(10, 21);
         return world.desired();
       }},
      // A restart's panic ends after six seconds: floor(20 / 2), floor(20 / 10).
      {"max-scale-down-rate", "10", 10, 2,
       [](World& world) {
         world.Annotate("window", "6s");
         world.target().ready = 20;
         world.Put();
         world.Change();
         world.Pass(10, 0);
         return world.desired();
       }},
      {"enable-scale-to-zero", "false", 0, 1, IdleToTheEnd},
      {"scale-to-zero-pod-retention-period", "1h", 0, 1, IdleToTheEnd},
      // The activator is always in the path: the grace period has always passed (scale_target_test.cc has it otherwise).
      {"scale-to-zero-grace-period", "1h", 0, 0, IdleToTheEnd},
      // Of revisions that come after the change: three, and then nobody, for less than five minutes.
      {"scale-down-delay", "5m", 1, 3,
       [](World& world) {
         world.Annotate("window", "6s");
         world.Annotate("panic-threshold-percentage", "1000");
         world.Change();
         world.Put();
         world.Pass(10, 21);
         world.Pass(20, 1);
         return world.desired();
       }},
      {"initial-scale", "3", 1, 3,
       [](World& world) {
         world.target().initialized = false;
         world.target().ready = 0;
         world.Put();
         world.Change();
         world.Pass(2, 0);
         return world.desired();
       }},
      {"allow-zero-initial-scale", "true", 1, 0,
       [](World& world) {
         world.target().initialized = false;
         world.target().ready = 0;
         world.Annotate("initial-scale", "0");
         world.Change();
         world.Put();
         return world.desired();
       }},
      {"min-scale", "2", 1, 2,
       [](World& world) {
         world.Put();
         world.Change();
         world.Pass(2, 1);
         return world.desired();
       }},
      {"max-scale", "2", 3, 2, Load21},
      // Cpu, of which 200 % of what is requested is used and 80 % wanted: ceil(1 * 200 / 80).
      {"pod-autoscaler-class", "hpa.autoscaling.knative.dev", 1, 3,
       [](World& world) {
         world.target().cpu_request_millis = 100;
         world.target().usage = {{.cpu_millis = 200}};
         world.Put();
         world.Pass(2, 1);
         world.Change();
         world.Pass(2, 1);
         return world.desired();
       }},
      // All activators are in the path.
      {"activator-capacity", "1", 3, 3, Load21},
  };
  return keys;
}

class ConfigLiveTest : public testing::TestWithParam<LiveKey> {};

TEST_P(ConfigLiveTest, TheNextDecisionFollows) {
  const LiveKey& key = GetParam();
  World without("", "");
  EXPECT_EQ(key.play(without), key.before);
  World with(key.key, key.value);
  EXPECT_EQ(key.play(with), key.after);
}

INSTANTIATE_TEST_SUITE_P(Keys, ConfigLiveTest, testing::ValuesIn(LiveKeys()), [](const auto& test) {
  std::string name = test.param.key;
  std::ranges::replace(name, '-', '_');
  return name;
});

// Which of the keys that Knative knows have a row above; what max-scale-limit says is validation's alone.
TEST(ConfigLiveTest, NoKeyIsForgotten) {
  std::set<std::string> rows = {"max-scale-limit"};
  for (const LiveKey& key : LiveKeys()) rows.insert(key.key);
  for (const api::DocumentedKey& key : api::DocumentedKeys()) {
    EXPECT_TRUE(key.map != "config-autoscaler" || rows.contains(std::string(key.key))) << key.key;
  }
}

}  // namespace
}  // namespace updraft::autoscaler
