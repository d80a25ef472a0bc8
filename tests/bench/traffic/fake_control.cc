// A controller and an autoscaler for benchmarks: gives one activator its routes, and takes its reports.
//
//   updraft_fake_control --listen unix:PATH --backend PORT [--routes N] [--instances N] [--concurrency N] [--asleep]
//
// Route i (from 0) is host "h<i>.bench" to revision "bench/r<i>" with one instance; route 0 has `--instances` of them.
// --concurrency: requests that an instance of route 0 takes at once, 0: any number. Host "grpc.bench" leads to an
// instance that speaks HTTP/2. All instances are the one backend under different addresses of the loopback network. Prints
// "routed" each time the activator has applied the full state. Asleep: no instances until told. Ends with standard input,
// whose lines tell it what to do:
//
//   wake          the instances of all routes are there
//   updates RATE  from now on changes so many routes a second, every tenth time route 0, until a line says 0: then prints
//                 "updated N", of N that the activator has applied since
#include <grpcpp/grpcpp.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <iostream>
#include <memory>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>

#include "updraft/v1/routing.grpc.pb.h"
#include "updraft/v1/scaling.grpc.pb.h"

namespace updraft {
namespace {

struct Options {
  std::string listen;
  uint32_t backend = 0;
  int routes = 1'000;
  int instances = 1;
  uint32_t concurrency = 0;
  bool asleep = false;
};

void Say(const std::string& line) {
  std::puts(line.c_str());
  std::fflush(stdout);
}

// A host, the revision that it leads to, and that one's instances at port `backend`.
void AddService(const std::string& host, const std::string& name, v1::AppProtocol protocol, uint32_t backend,
                int instances, v1::RoutingUpdate& update) {
  const std::string key = "bench/" + name;
  v1::Revision& revision = *update.add_revisions();
  revision.set_key(key);
  revision.set_service(name);
  revision.set_configuration(name);
  revision.set_timeout_ns(300'000'000'000);
  revision.set_protocol(protocol);
  v1::Route& route = *update.add_routes();
  route.set_key(key);
  v1::HostRule& rule = *route.add_hosts();
  rule.set_host(host);
  v1::Split& split = *rule.add_splits();
  split.set_revision(key);
  split.set_percent(100);
  v1::Endpoints& endpoints = *update.add_endpoints();
  endpoints.set_revision(key);
  endpoints.set_known(true);
  for (int i = 0; i < instances; ++i) {
    v1::Endpoint& endpoint = *endpoints.add_endpoints();
    endpoint.set_instance_id(name + "-" + std::to_string(i));
    endpoint.set_ip("127.0." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1));
    endpoint.set_port(backend);
  }
}

class Routing final : public v1::RoutingService::Service {
 public:
  using Stream = grpc::ServerReaderWriter<v1::RoutingUpdate, v1::ActivatorMessage>;

  explicit Routing(const Options& options) : options_(options) {}

  grpc::Status Watch(grpc::ServerContext*, Stream* stream) override {
    stream->SendInitialMetadata();  // connected: the activator waits for it
    v1::ActivatorMessage message;
    if (!stream->Read(&message)) return grpc::Status::OK;  // its hello
    {
      const std::lock_guard lock(mutex_);
      stream_ = stream;
      SendAll();
    }
    while (stream->Read(&message)) {
      const std::lock_guard lock(mutex_);
      if (!message.has_applied()) continue;
      if (message.applied().sequence() == full_) Say("routed");
      applied_ = message.applied().sequence();
      news_.notify_all();
    }
    const std::lock_guard lock(mutex_);
    stream_ = nullptr;
    news_.notify_all();
    return grpc::Status::OK;
  }

  void WakeUp() {
    const std::lock_guard lock(mutex_);
    options_.asleep = false;
    if (stream_ != nullptr) SendAll();
  }

  // Returns when no more come and all have been applied.
  void StopUpdates() {
    if (!updates_.joinable()) return;
    updates_.request_stop();
    updates_.join();
    std::unique_lock lock(mutex_);
    news_.wait(lock, [this] { return applied_ == sequence_ || stream_ == nullptr; });
    Say("updated " + std::to_string(applied_ - before_updates_));
  }
  void StartUpdates(int rate) {
    const std::lock_guard lock(mutex_);
    before_updates_ = sequence_;
    updates_ = std::jthread([this, rate](const std::stop_token& stop) { Update(rate, stop); });
  }

 private:
  void Update(int rate, const std::stop_token& stop) {
    const auto start = std::chrono::steady_clock::now();
    std::unique_lock lock(mutex_);
    for (int64_t i = 0; stream_ != nullptr; ++i) {
      const auto due = start + std::chrono::nanoseconds(1'000'000'000 / rate * i);
      news_.wait_until(lock, stop, due, [due] { return std::chrono::steady_clock::now() >= due; });
      if (stop.stop_requested()) return;
      Change(i % 10 == 0 || options_.routes < 2 ? 0 : 1 + static_cast<int>(i % (options_.routes - 1)), i);
    }
  }

  // A route whose split is another than before, and its revision with another limit: as a step of a rollout.
  void Change(int route, int64_t turn) {
    v1::RoutingUpdate update;
    update.set_sequence(++sequence_);
    const std::string number = std::to_string(route);
    AddService("h" + number + ".bench", "r" + number, v1::APP_PROTOCOL_HTTP1, options_.backend,
               route == 0 ? options_.instances : 1, update);
    const uint32_t percent = 1 + static_cast<uint32_t>(turn / 10 % 99);
    v1::HostRule& rule = *update.mutable_routes(0)->mutable_hosts(0);
    rule.mutable_splits(0)->set_percent(percent);
    v1::Split& rest = *rule.add_splits();
    rest.set_revision("bench/r" + std::to_string((route + 1) % options_.routes));
    rest.set_percent(100 - percent);
    v1::Revision& revision = *update.mutable_revisions(0);
    revision.set_timeout_ns(revision.timeout_ns() + static_cast<int64_t>(percent) * 1'000'000);
    if (route == 0) revision.set_container_concurrency(options_.concurrency);
    stream_->Write(update);
  }

  void SendAll() {
    v1::RoutingUpdate update;
    update.set_full(true);
    update.set_sequence(++sequence_);
    full_ = sequence_;
    const int instances = options_.asleep ? 0 : 1;
    for (int i = 0; i < options_.routes; ++i) {
      const std::string number = std::to_string(i);
      AddService("h" + number + ".bench", "r" + number, v1::APP_PROTOCOL_HTTP1, options_.backend,
                 i == 0 ? instances * options_.instances : instances, update);
    }
    update.mutable_revisions(0)->set_container_concurrency(options_.concurrency);
    AddService("grpc.bench", "grpc", v1::APP_PROTOCOL_H2C, options_.backend, instances, update);
    stream_->Write(update);
  }

  std::mutex mutex_;
  Options options_;
  int64_t sequence_ = 0;
  int64_t full_ = 0;     // of them, the last full state's
  int64_t applied_ = 0;  // the last that the activator has answered
  Stream* stream_ = nullptr;
  std::condition_variable_any news_;
  int64_t before_updates_ = 0;
  std::jthread updates_;
};

class Load final : public v1::LoadService::Service {
  grpc::Status Report(grpc::ServerContext*, grpc::ServerReaderWriter<v1::LoadAck, v1::LoadReport>* stream) override {
    stream->SendInitialMetadata();
    v1::LoadReport report;
    while (stream->Read(&report)) stream->Write(v1::LoadAck());
    return grpc::Status::OK;
  }
};

int Run(const Options& options) {
  Routing routing(options);
  Load load;
  grpc::ServerBuilder builder;
  builder.AddListeningPort(options.listen, grpc::InsecureServerCredentials());
  builder.SetMaxReceiveMessageSize(64 << 20);  // the load of all revisions, when there are many
  builder.RegisterService(&routing);
  builder.RegisterService(&load);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (!server) return 1;
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string verb;
    int rate = 0;
    words >> verb >> rate;
    if (verb == "wake") routing.WakeUp();
    if (verb != "updates") continue;
    routing.StopUpdates();
    if (rate > 0) routing.StartUpdates(rate);
  }
  routing.StopUpdates();
  server->Shutdown(std::chrono::system_clock::now());
  return 0;
}

}  // namespace
}  // namespace updraft

int main(int argc, char** argv) {
  updraft::Options options;
  CLI::App app("A controller and an autoscaler for benchmarks");
  app.add_option("--listen", options.listen)->required();
  app.add_option("--backend", options.backend)->required();
  app.add_option("--routes", options.routes);
  app.add_option("--instances", options.instances);
  app.add_option("--concurrency", options.concurrency);
  app.add_flag("--asleep", options.asleep);
  CLI11_PARSE(app, argc, argv);
  return updraft::Run(options);
}
