// The control loop with workers, between a controller and an autoscaler that the test plays over gRPC.
#include "activator/control.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <future>
#include <latch>
#include <list>
#include <mutex>

#include "activator/worker_pool.h"
#include "core/http/client.h"
#include "core/http/server.h"
#include "core/http/sync.h"
#include "core/rpc/peer_stream.h"
#include "tests/unit/activator/application.h"
#include "tests/unit/core/http/test_server.h"

namespace updraft::activator {
namespace {

constexpr auto kPatience = std::chrono::seconds(20);

// One side of a bidirectional service: keeps what it is told, sends what the test says.
template <typename In, typename Out>
class Peer : public rpc::PeerObserver<In, Out> {
 public:
  using Stream = typename rpc::PeerObserver<In, Out>::Stream;

  void OnOpened(Stream stream) override {
    const std::lock_guard lock(mutex_);
    stream_ = std::move(stream);
  }
  void OnMessage(const Stream&, In message) override {
    const std::lock_guard lock(mutex_);
    received_.push_back(std::move(message));
    changed_.notify_all();
  }
  void OnFlushed(const Stream&) override {}
  void OnEnded(const Stream& stream) override {
    const std::lock_guard lock(mutex_);
    if (stream_ == stream) stream_ = nullptr;
  }

  // Takes out the first message that `matches`.
  std::optional<In> WaitFor(const std::function<bool(const In&)>& matches) {
    std::unique_lock lock(mutex_);
    std::optional<In> found;
    changed_.wait_for(lock, kPatience, [&] {
      for (auto it = received_.begin(); it != received_.end(); ++it) {
        if (!matches(*it)) continue;
        found = std::move(*it);
        received_.erase(it);
        return true;
      }
      return false;
    });
    return found;
  }
  void Send(Loop& loop, Out message) {
    loop.Post([this, message = std::move(message)] {
      const std::lock_guard lock(mutex_);
      if (stream_) stream_->Send(message);
    });
  }
  void End(Loop& loop) {
    loop.Post([this] {
      const std::lock_guard lock(mutex_);
      if (stream_) stream_->End(grpc::Status::OK);
    });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::list<In> received_;
  Stream stream_;
};

struct Controller : v1::RoutingService::CallbackService, Peer<v1::ActivatorMessage, v1::RoutingUpdate> {
  explicit Controller(Loop& on) : loop(on) {}
  grpc::ServerBidiReactor<v1::ActivatorMessage, v1::RoutingUpdate>* Watch(grpc::CallbackServerContext*) override {
    return rpc::PeerStream<v1::ActivatorMessage, v1::RoutingUpdate>::Accept(loop, *this);
  }
  Loop& loop;
};

struct Autoscaler : v1::LoadService::CallbackService, Peer<v1::LoadReport, v1::LoadAck> {
  explicit Autoscaler(Loop& on) : loop(on) {}
  grpc::ServerBidiReactor<v1::LoadReport, v1::LoadAck>* Report(grpc::CallbackServerContext*) override {
    return rpc::PeerStream<v1::LoadReport, v1::LoadAck>::Accept(loop, *this);
  }
  Loop& loop;
};

struct Request : Waiter {
  void OnSettled() override { settled.set_value(); }
  std::promise<void> settled;
};

class ControlTest : public testing::Test {
 protected:
  ControlTest() {
    char folder[] = "/tmp/updraft-control-XXXXXX";
    folder_ = mkdtemp(folder);
    const std::string target = "unix:" + folder_ + "/peers.sock";
    grpc::ServerBuilder builder;
    builder.AddListeningPort(target, grpc::InsecureServerCredentials());
    builder.RegisterService(&controller_);
    builder.RegisterService(&autoscaler_);
    server_ = builder.BuildAndStart();

    Do(control_thread_.loop(), [&] {
      control_ = std::make_unique<Control>(
          control_thread_.loop(), RealClock(),
          ControlOptions{.activator_id = "a1", .version = "1", .controller = target, .autoscaler = target}, exposition_,
          [this] { routable_.set_value(); });
      pool_ = std::make_unique<WorkerPool>(WorkerPoolOptions{.workers = 2}, *control_);
      control_->Start(pool_->workers(), pool_->counters());
    });
  }
  ~ControlTest() override {
    Do(control_thread_.loop(), [this] { pool_.reset(); });
    Do(control_thread_.loop(), [this] { control_.reset(); });
    control_thread_.Stop();
    server_->Shutdown(std::chrono::system_clock::now());
    peers_thread_.Stop();  // before the peers go, which it tells of their streams' ends
    std::filesystem::remove_all(folder_);
  }

  static void Do(Loop& loop, const std::function<void()>& work) {
    std::promise<void> done;
    loop.Post([&] {
      work();
      done.set_value();
    });
    done.get_future().wait();
  }

  // The first update, with the revision "ns/rev" behind the host "rev" and these instances.
  v1::RoutingUpdate Update(bool full, const std::vector<std::string>& ids, const std::vector<std::string>& draining) {
    v1::RoutingUpdate update;
    update.set_full(full);
    update.set_sequence(++sequence_);
    v1::Revision& revision = *update.add_revisions();
    revision.set_key("ns/rev");
    revision.set_container_concurrency(1);
    v1::Route& route = *update.add_routes();
    route.set_key("ns/rev");
    v1::HostRule& rule = *route.add_hosts();
    rule.set_host("rev");
    v1::Split& split = *rule.add_splits();
    split.set_revision("ns/rev");
    split.set_percent(100);
    v1::Endpoints& endpoints = *update.add_endpoints();
    endpoints.set_revision("ns/rev");
    endpoints.set_known(true);
    const auto add = [&](const std::string& id, bool drains) {
      v1::Endpoint& endpoint = *endpoints.add_endpoints();
      endpoint.set_instance_id(id);
      endpoint.set_ip("127.0.0.1");
      endpoint.set_port(port_);
      endpoint.set_draining(drains);
      endpoint.mutable_cold_start()->set_queued_ns(1'000'000);
      endpoint.mutable_cold_start()->set_decided_ns(3'000'000);
    };
    for (const std::string& id : ids) add(id, false);
    for (const std::string& id : draining) add(id, true);
    return update;
  }
  void SendAndWait(const v1::RoutingUpdate& update) {
    controller_.Send(peers_thread_.loop(), update);
    ASSERT_TRUE(controller_.WaitFor([&](const auto& m) { return m.applied().sequence() == update.sequence(); }));
  }
  // So many more revisions, each with a route and an instance.
  static void AddMany(int count, v1::RoutingUpdate& update) {
    for (int i = 0; i < count; ++i) {
      const std::string key = "ns/many-" + std::to_string(i);
      update.add_revisions()->set_key(key);
      v1::Route& route = *update.add_routes();
      route.set_key(key);
      v1::HostRule& rule = *route.add_hosts();
      rule.set_host("many-" + std::to_string(i));
      v1::Split& split = *rule.add_splits();
      split.set_revision(key);
      split.set_percent(100);
      v1::Endpoints& endpoints = *update.add_endpoints();
      endpoints.set_revision(key);
      endpoints.set_known(true);
      v1::Endpoint& endpoint = *endpoints.add_endpoints();
      endpoint.set_instance_id("i-" + std::to_string(i));
      endpoint.set_ip("127.0.0.1");
      endpoint.set_port(80);
    }
  }
  // What the loop's thread has computed so far: other work of the machine does not count.
  static Nanos CpuTimeOf(Loop& loop) {
    timespec time{};
    Do(loop, [&time] { clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time); });
    return Seconds(time.tv_sec) + Nanos(time.tv_nsec);
  }
  Worker& worker(size_t i) { return *pool_->workers()[i]; }
  void OnWorker(size_t i, const std::function<void(Dispatcher&, Revision&, TimePoint)>& work) {
    Do(worker(i).loop(), [&] {
      Worker& w = worker(i);
      work(w.dispatcher(), *w.routes().Find("rev")->Choose(), w.loop().Now());
    });
  }

  std::string folder_;
  LoopThread peers_thread_{"peers"};
  LoopThread control_thread_{"control"};
  Controller controller_{peers_thread_.loop()};
  Autoscaler autoscaler_{peers_thread_.loop()};
  std::unique_ptr<grpc::Server> server_;
  metrics::Exposition exposition_{"activator"};
  std::promise<void> routable_;
  std::unique_ptr<Control> control_;
  std::unique_ptr<WorkerPool> pool_;
  int64_t sequence_ = 0;
  uint16_t port_ = 80;  // of instances
};

TEST_F(ControlTest, CarriesARevisionFromZeroToItsEnd) {
  const auto hello = controller_.WaitFor([](const auto& m) { return m.has_hello(); });
  ASSERT_TRUE(hello);
  EXPECT_EQ(hello->hello().activator_id(), "a1");
  const auto first_report = autoscaler_.WaitFor([](const auto&) { return true; });
  ASSERT_TRUE(first_report);
  EXPECT_EQ(first_report->activator_id(), "a1");
  EXPECT_EQ(first_report->revisions_size(), 0);
  Do(control_thread_.loop(), [this] { EXPECT_FALSE(control_->Ready()); });

  SendAndWait(Update(true, {}, {}));
  ASSERT_EQ(routable_.get_future().wait_for(kPatience), std::future_status::ready);
  Do(control_thread_.loop(), [this] { EXPECT_TRUE(control_->Ready()); });

  // A request finds no instance.
  Request request;
  OnWorker(1, [&](Dispatcher& dispatcher, Revision& revision, TimePoint now) {
    EXPECT_EQ(dispatcher.Acquire(revision, request, now), Admission::kWaiting);
  });
  const auto demand = autoscaler_.WaitFor(
      [](const v1::LoadReport& r) { return r.revisions_size() == 1 && r.revisions(0).first_queued_ns() != 0; });
  ASSERT_TRUE(demand);
  EXPECT_EQ(demand->revisions(0).revision(), "ns/rev");
  EXPECT_EQ(demand->revisions(0).waiting(), 1u);
  EXPECT_EQ(demand->revisions(0).request_count(), 1u);

  // An instance comes, and the request goes there.
  SendAndWait(Update(false, {"i1"}, {}));
  ASSERT_EQ(request.settled.get_future().wait_for(kPatience), std::future_status::ready);
  Slot slot = request.slot();
  EXPECT_EQ(slot.instance->id(), "i1");
  OnWorker(1, [&](Dispatcher& dispatcher, Revision&, TimePoint) {
    dispatcher.OnFirstByte(slot, FromUnixNanos(RealClock().Wall().time_since_epoch().count()));
  });
  Do(control_thread_.loop(), [this] {
    const std::string page = exposition_.Render();
    EXPECT_NE(page.find("updraft_cold_start_seconds_sum{phase=\"decided\"} 0.002"), std::string::npos) << page;
    EXPECT_NE(page.find("updraft_activator_requests_running{configuration=\"\",namespace=\"ns\",revision=\"rev\","),
              std::string::npos)
        << page;
  });
  const auto running = autoscaler_.WaitFor(
      [](const v1::LoadReport& r) { return r.revisions_size() == 1 && r.revisions(0).running() == 1; });
  ASSERT_TRUE(running) << "told without being asked";
  EXPECT_EQ(running->revisions(0).first_queued_ns(), 0);

  // It is told to go, and goes when the request has ended.
  SendAndWait(Update(false, {}, {"i1"}));
  OnWorker(1, [&](Dispatcher& dispatcher, Revision&, TimePoint now) { dispatcher.Release(slot, now); });
  const auto drained = controller_.WaitFor([](const auto& m) { return m.has_drained(); });
  ASSERT_TRUE(drained);
  EXPECT_EQ(drained->drained().instance_id(), "i1");
}

// What a table alone still held goes on the control loop: for a worker it is one step from a large table to a small one.
TEST_F(ControlTest, TwentyThousandRoutesThatGoCostTheWorkersNextToNothing) {
  controller_.WaitFor([](const v1::ActivatorMessage& m) { return m.has_hello(); });
  v1::RoutingUpdate large = Update(true, {"i1"}, {});
  AddMany(20'000, large);
  SendAndWait(large);
  const auto workers = [this] { return CpuTimeOf(worker(0).loop()) + CpuTimeOf(worker(1).loop()); };
  const Nanos workers_before = workers();
  const Nanos control_before = CpuTimeOf(control_thread_.loop());
  SendAndWait(Update(true, {"i1"}, {}));
  const Nanos by_workers = workers() - workers_before;
  const Nanos by_control = CpuTimeOf(control_thread_.loop()) - control_before;
  std::printf("workers %.2f ms, control loop %.2f ms\n", static_cast<double>(by_workers.count()) * 1e-6,
              static_cast<double>(by_control.count()) * 1e-6);
  EXPECT_LT(by_workers, by_control / 8);
}

TEST_F(ControlTest, GoesOnRoutingWhileTheControllerIsAwayAndSaysEverythingAgain) {
  ASSERT_TRUE(controller_.WaitFor([](const auto& m) { return m.has_hello(); }));
  SendAndWait(Update(true, {"i1"}, {"i2"}));
  ASSERT_TRUE(controller_.WaitFor([](const auto& m) { return m.drained().instance_id() == "i2"; }));
  controller_.End(peers_thread_.loop());
  ASSERT_TRUE(controller_.WaitFor([](const auto& m) { return m.has_hello(); })) << "on a new stream";
  OnWorker(0, [](Dispatcher& dispatcher, Revision& revision, TimePoint now) {
    Request request;
    EXPECT_EQ(dispatcher.Acquire(revision, request, now), Admission::kGranted);
    Slot slot = request.slot();
    dispatcher.Release(slot, now);
  });
  SendAndWait(Update(true, {"i1"}, {"i2"}));
  EXPECT_TRUE(controller_.WaitFor([](const auto& m) { return m.drained().instance_id() == "i2"; }));
}

TEST_F(ControlTest, AnEjectedInstanceIsReportedAndComesBack) {
  ASSERT_TRUE(controller_.WaitFor([](const auto& m) { return m.has_hello(); }));
  SendAndWait(Update(true, {"i1"}, {}));
  Request waits;
  OnWorker(0, [&](Dispatcher& dispatcher, Revision& revision, TimePoint now) {
    Request request;
    EXPECT_EQ(dispatcher.Acquire(revision, request, now), Admission::kGranted);
    Slot slot = request.slot();
    dispatcher.MarkFailed(slot, Error{Code::kUnavailable, "connection refused"});
    dispatcher.Release(slot, now);
    EXPECT_EQ(dispatcher.Acquire(revision, waits, now, Dispatcher::Attempt::kRetry), Admission::kWaiting);
  });
  const auto failure = controller_.WaitFor([](const auto& m) { return m.has_failure(); });
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->failure().instance_id(), "i1");
  EXPECT_EQ(failure->failure().reason(), "connection refused");
  ASSERT_EQ(waits.settled.get_future().wait_for(kPatience), std::future_status::ready);
  OnWorker(0, [&](Dispatcher& dispatcher, Revision&, TimePoint now) {
    Slot slot = waits.slot();
    dispatcher.Release(slot, now);
  });
}

TEST_F(ControlTest, HoldsABurstAtZeroAndAnswersAllOfIt) {
  constexpr int kRequests = 50;
  Application application;
  http::TestServer instance([&application](http::Exchange& exchange) { return Answer(exchange, &application); });
  port_ = instance.port();
  ASSERT_TRUE(controller_.WaitFor([](const auto& m) { return m.has_hello(); }));
  SendAndWait(Update(true, {}, {}));
  const std::string address = "unix:" + folder_ + "/http.sock";
  Do(control_thread_.loop(), [&] { EXPECT_TRUE(pool_->Listen({ListenAddress{.address = address}})); });

  std::atomic<int> ok{0};
  std::latch done(kRequests);
  Loop& clients = peers_thread_.loop();
  clients.Post([&] {
    for (int i = 0; i < kRequests; ++i) http::Spawn(Get(&clients, address, "rev", &ok, &done));
  });
  ASSERT_TRUE(autoscaler_.WaitFor([](const v1::LoadReport& r) {
    return r.revisions_size() == 1 && r.revisions(0).waiting() == kRequests;
  }));
  SendAndWait(Update(false, {"i1"}, {}));
  done.wait();
  EXPECT_EQ(ok.load(), kRequests);
  EXPECT_EQ(application.served.load(), kRequests) << "none twice";
  EXPECT_EQ(application.most_inside.load(), 1);
}

}  // namespace
}  // namespace updraft::activator
