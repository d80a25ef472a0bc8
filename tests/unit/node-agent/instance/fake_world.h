// An instance host among fakes, on a loop of its own. Tests speak to it through On() and wait for its reports.
#pragma once

#include <gtest/gtest.h>

#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "node-agent/instance/instance_host.h"
#include "tests/unit/node-agent/instance/fake_runtime.h"

namespace updraft::node_agent {

class FakeImages final : public ImageSource {
 public:
  void Ensure(const v1::InstanceSpec&, const v1::Container&, Done done) override {
    ++ensured;
    if (error) return done(*std::exchange(error, std::nullopt));
    UsableImage image{.digest = "sha256:1", .root = "", .config = {}};
    image.config.entrypoint = {"/app"};
    done(image);
  }
  void Forget(const UsableImage&) override { ++forgotten; }

  int ensured = 0;
  int forgotten = 0;
  std::optional<Error> error;  // of the next one
};

class FakeNetworks final : public NetworkSource {
 public:
  void Claim(const std::string& id, Done done) override {
    claimed.insert(id);
    done(InstanceNetwork{"/run/netns/" + id, "127.0.0.1"});
  }
  Result<InstanceNetwork> Adopt(const std::string& id) override {
    if (lost.contains(id)) return Error{Code::kNotFound, "its network is gone"};
    claimed.insert(id);
    return InstanceNetwork{"/run/netns/" + id, "127.0.0.1"};
  }
  void AdoptionIsOver() override {}
  void Release(const std::string& id) override { claimed.erase(id); }

  std::set<std::string> claimed;
  std::set<std::string> lost;
};

class FakeLogs final : public LogSource {
 public:
  void Begin(const v1::InstanceSpec&) override {}
  void AdoptionIsOver() override {}
  Result<TaskStdio> Open(const LogKey&) override { return TaskStdio{}; }
  void Finish(const LogKey&, std::function<void()> done) override { done(); }
  std::string TerminationMessage(const LogKey&) override { return "last words"; }
  void End(const std::string&) override {}
};

// Attempts that are never answered.
class SilentProbes final : public ProbeRunner {
 public:
  std::unique_ptr<ProbeAttempt> Start(const ProbeCall&, Nanos, ProbeDone) override {
    return std::make_unique<ProbeAttempt>();
  }
};

class FakeWorld : public testing::Test {
 protected:
  struct Parts {
    Parts(Loop& loop, const std::string& directory, InstanceHostCallbacks callbacks, Parts* before)
        : runtime(before != nullptr ? before->runtime : std::make_shared<FakeRuntime>(loop)),
          files({.run_directory = directory + "/run", .state_directory = directory + "/lib"}),
          specs({}, {}, files),
          execs(loop, *runtime, directory + "/exec"),
          host({.run = {.loop = loop,
                        .clock = RealClock(),
                        .runtime = *runtime,
                        .images = images,
                        .logs = logs,
                        .specs = specs,
                        .execs = execs,
                        .gate = gate},
                .networks = networks,
                .probes = probes,
                .files = files,
                .cgroups = {},
                .restarts = {.first = Millis(30)}},
               std::move(callbacks)) {
      EXPECT_TRUE(files.Start());
      EXPECT_TRUE(specs.Learn({}, {{.type = "bind", .source = directory, .options = {}}}));
    }

    std::shared_ptr<FakeRuntime> runtime;
    FakeImages images;
    FakeNetworks networks;
    FakeLogs logs;
    SilentProbes probes;
    RunFiles files;
    SpecSource specs;
    TaskExecRunner execs;
    AdmissionGate gate{2};
    InstanceHost host;
  };

  void SetUp() override {
    char pattern[] = "/tmp/updraft-fake-world-XXXXXX";
    ASSERT_NE(mkdtemp(pattern), nullptr);
    directory_ = pattern;
    thread_ = std::make_unique<LoopThread>("fake-world");
    On([this](Parts*) { MakeParts(nullptr); });
    AwaitReady();
  }
  void TearDown() override {
    On([this](Parts*) { parts_.reset(); });
    thread_.reset();
    std::filesystem::remove_all(directory_);
  }

  // Runs on the loop; returns when it has.
  void On(const std::function<void(Parts*)>& what) {
    std::promise<void> done;
    thread_->loop().Post([this, &what, &done] {
      what(parts_.get());
      done.set_value();
    });
    done.get_future().wait();
  }

  // The agent dies, and another one comes up over the same runtime.
  void Restart(const std::function<void(Parts*)>& before_opening = [](Parts*) {}) {
    On([this, &before_opening](Parts* old) {
      std::unique_ptr<Parts> gone = std::move(parts_);
      MakeParts(old, before_opening);
    });
    AwaitReady();
  }

  void Start(const v1::InstanceSpec& spec) {
    On([&spec](Parts* parts) { parts->host.Start(spec); });
  }
  void Stop(const std::string& id, Nanos grace = Seconds(5)) {
    On([&id, grace](Parts* parts) { parts->host.Stop(id, grace); });
  }

  v1::InstanceReport Await(const std::string& id, const std::function<bool(const v1::InstanceReport&)>& condition) {
    std::unique_lock lock(mutex_);
    v1::InstanceReport last;
    const bool met = changed_.wait_for(lock, Seconds(20), [&] {
      while (!reports_[id].empty()) {
        last = reports_[id].front();
        reports_[id].pop_front();
        if (condition(last)) return true;
      }
      return false;
    });
    EXPECT_TRUE(met) << "the last report was\n" << last.DebugString();
    return last;
  }
  v1::InstanceReport AwaitPhase(const std::string& id, v1::InstancePhase phase) {
    return Await(id, [phase](const v1::InstanceReport& report) { return report.phase() == phase; });
  }

  // Without a port, so that nothing but the runtime decides when it is ready.
  static v1::InstanceSpec Spec(const std::string& id) {
    v1::InstanceSpec spec;
    spec.set_instance_id(id);
    spec.set_namespace_("default");
    spec.set_revision("hello-00001");
    spec.set_serving_container("user");
    spec.set_termination_grace_ns(Nanos(Seconds(5)).count());
    v1::Container& container = *spec.add_containers();
    container.set_name("user");
    container.set_image("img");
    container.set_termination_message_from_log(true);
    return spec;
  }

  void ExpectNothingLeft() {
    On([](Parts* parts) {
      EXPECT_TRUE(parts->runtime->Empty());
      EXPECT_TRUE(parts->networks.claimed.empty());
      EXPECT_EQ(parts->gate.running(), 0u);
    });
  }

  std::string directory_;

 private:
  void MakeParts(Parts* before, const std::function<void(Parts*)>& before_opening = [](Parts*) {}) {
    InstanceHostCallbacks callbacks;
    callbacks.ready = [this] {
      const std::lock_guard lock(mutex_);
      ready_ = true;
      changed_.notify_all();
    };
    callbacks.report = [this](const v1::InstanceReport& report) {
      const std::lock_guard lock(mutex_);
      reports_[report.instance_id()].push_back(report);
      changed_.notify_all();
    };
    parts_ = std::make_unique<Parts>(thread_->loop(), directory_, std::move(callbacks), before);
    before_opening(parts_.get());
    parts_->host.Open();
  }
  void AwaitReady() {
    std::unique_lock lock(mutex_);
    ASSERT_TRUE(changed_.wait_for(lock, Seconds(20), [this] { return ready_; }));
    ready_ = false;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool ready_ = false;
  std::map<std::string, std::deque<v1::InstanceReport>> reports_;
  std::unique_ptr<LoopThread> thread_;
  std::unique_ptr<Parts> parts_;
};

}  // namespace updraft::node_agent
