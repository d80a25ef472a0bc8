// A controller and an autoscaler for benchmarks: gives one activator its routes, and takes its reports.
//
//   updraft_fake_control --listen unix:PATH --backend PORT [--routes N] [--instances N] [--concurrency N] [--asleep]
//
// Route i (from 0) is host "h<i>.bench" to revision "bench/r<i>" with one instance; route 0 has `--instances` of them.
// --concurrency: requests that an instance of route 0 takes at once, 0: any number. Host "grpc.bench" leads to an
// instance that speaks HTTP/2. All instances are the one backend under different addresses of the loopback network. Prints
// "routed" each time the activator has applied the full state. Asleep: no instances until a line comes on standard
// input; ends with it.
#include <grpcpp/grpcpp.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>
#include <memory>
#include <mutex>
#include <string>

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
      if (!message.has_applied() || message.applied().sequence() != sequence_) continue;
      std::puts("routed");
      std::fflush(stdout);
    }
    const std::lock_guard lock(mutex_);
    stream_ = nullptr;
    return grpc::Status::OK;
  }

  void WakeUp() {
    const std::lock_guard lock(mutex_);
    options_.asleep = false;
    if (stream_ != nullptr) SendAll();
  }

 private:
  void SendAll() {
    v1::RoutingUpdate update;
    update.set_full(true);
    update.set_sequence(++sequence_);
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
  Stream* stream_ = nullptr;
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
  for (std::string line; std::getline(std::cin, line);) routing.WakeUp();
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
