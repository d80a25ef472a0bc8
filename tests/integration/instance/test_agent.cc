#include "tests/integration/instance/test_agent.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/check.h"
#include "github.com/containerd/containerd/api/services/containers/v1/containers.grpc.pb.h"
#include "github.com/containerd/containerd/api/services/snapshots/v1/snapshots.grpc.pb.h"
#include "github.com/containerd/containerd/api/services/tasks/v1/tasks.grpc.pb.h"

namespace updraft::node_agent {
namespace {

namespace containers = ::containerd::services::containers::v1;
namespace snapshots = ::containerd::services::snapshots::v1;
namespace tasks = ::containerd::services::tasks::v1;

InstanceTools Tools(Loop& loop, ContainerRuntime& runtime, ImageSource& images, NetworkSource& networks, RunFiles& files,
                    SpecSource& specs, TaskExecRunner& execs, ProbeRunner& probes, LogSource& logs, AdmissionGate& gate,
                    const TestAgentOptions& options) {
  return {.run = {.loop = loop,
                  .clock = RealClock(),
                  .runtime = runtime,
                  .images = images,
                  .logs = logs,
                  .specs = specs,
                  .execs = execs,
                  .gate = gate},
          .networks = networks,
          .probes = probes,
          .files = files,
          .cgroups = {.path = "/sys/fs/cgroup", .layout = ReadHostFacts().cgroups},
          .restarts = options.restarts};
}

}  // namespace

TestAgent::Parts::Parts(Loop& loop, const PrivateContainerd& containerd, const TestAgentOptions& options,
                        InstanceHostCallbacks callbacks)
    : client(loop, {.address = containerd.address(), .containerd_namespace = "updraft"}),
      runtime(client, {.runtime_binary = options.runtime_binary, .runtime_root = containerd.directory() + "/oci"}),
      images(containerd.root_snapshot()),
      files({.run_directory = containerd.directory() + "/run", .state_directory = containerd.directory() + "/lib"}),
      specs({.cgroup_parent = options.cgroup_parent,
             .shim_sharing = options.shim_sharing,
             .compiled_seccomp = options.compiled_seccomp},
            ReadHostFacts(), files),
      execs(loop, runtime, containerd.directory() + "/run/exec"),
      probes(loop, execs),
      log_store(loop, RealClock(), {.root = containerd.directory() + "/lib/logs"}),
      logs(log_store, containerd.directory() + "/run/instances"),
      gate(options.creates_max),
      host(Tools(loop, runtime, images, networks, files, specs, execs, probes, logs, gate, options), std::move(callbacks)),
      disk_limits(loop, host, Millis(50)) {}

TestAgent::TestAgent(const PrivateContainerd& containerd, TestAgentOptions options)
    : thread_(std::make_unique<LoopThread>("test-agent")) {
  OnLoop<bool>([this, &containerd, &options] {
    InstanceHostCallbacks callbacks;
    callbacks.ready = [this] {
      const std::lock_guard lock(mutex_);
      ready_ = true;
      changed_.notify_all();
    };
    callbacks.report = [this](const v1::InstanceReport& report) { OnReport(report); };
    parts_ = std::make_unique<Parts>(thread_->loop(), containerd, options, std::move(callbacks));
    UPDRAFT_CHECK(parts_->files.Start().has_value());
    parts_->host.Open();
    return true;
  });
}

TestAgent::~TestAgent() {
  OnLoop<bool>([this] {
    parts_.reset();
    return true;
  });
  thread_.reset();
}

void TestAgent::WaitUntilReady() {
  std::unique_lock lock(mutex_);
  UPDRAFT_CHECK(changed_.wait_for(lock, Seconds(30), [this] { return ready_; }));
}

void TestAgent::Start(const v1::InstanceSpec& spec) {
  thread_->loop().Post([this, spec] { parts_->host.Start(spec); });
}

void TestAgent::Stop(const std::string& instance_id, Nanos grace) {
  thread_->loop().Post([this, instance_id, grace] { parts_->host.Stop(instance_id, grace); });
}

int TestAgent::StopAll(Nanos grace) {
  std::promise<int> stopped;
  thread_->loop().Post([this, grace, &stopped] {
    parts_->host.StopAll(grace, [&stopped](int count) { stopped.set_value(count); });
  });
  return stopped.get_future().get();
}

v1::InstanceInventory TestAgent::Inventory() {
  return OnLoop<v1::InstanceInventory>([this] { return parts_->host.Inventory(); });
}

void TestAgent::OnReport(const v1::InstanceReport& report) {
  const std::lock_guard lock(mutex_);
  reports_[report.instance_id()].push_back(report);
  changed_.notify_all();
}

v1::InstanceReport TestAgent::WaitFor(const std::string& instance_id, const Condition& condition, Nanos limit) {
  std::unique_lock lock(mutex_);
  v1::InstanceReport found;
  v1::InstanceReport last;
  const bool met = changed_.wait_for(lock, limit, [&] {
    std::deque<v1::InstanceReport>& reports = reports_[instance_id];
    while (!reports.empty()) {
      last = std::move(reports.front());
      reports.pop_front();
      if (condition(last)) return true;
    }
    return false;
  });
  EXPECT_TRUE(met) << "waited in vain; the last report was\n" << last.DebugString();
  return last;
}

v1::InstanceReport TestAgent::WaitForPhase(const std::string& instance_id, v1::InstancePhase phase, Nanos limit) {
  return WaitFor(instance_id, [phase](const v1::InstanceReport& report) { return report.phase() == phase; }, limit);
}

RuntimeContents TestAgent::Contents() {
  const auto context = [this] {
    auto made = std::make_unique<grpc::ClientContext>();
    parts_->client.Prepare(*made, {});
    return made;
  };
  RuntimeContents contents;
  containers::ListContainersResponse listed;
  UPDRAFT_CHECK(containers::Containers::NewStub(parts_->client.channel())->List(context().get(), {}, &listed).ok());
  for (const auto& container : listed.containers()) contents.containers.push_back({.id = container.id()});
  tasks::ListTasksResponse running;
  UPDRAFT_CHECK(tasks::Tasks::NewStub(parts_->client.channel())->List(context().get(), {}, &running).ok());
  for (const auto& task : running.tasks()) contents.tasks.push_back({.container_id = task.id(), .pid = task.pid()});
  snapshots::ListSnapshotsRequest request;
  request.set_snapshotter("overlayfs");
  const auto listing = context();
  const auto reader = snapshots::Snapshots::NewStub(parts_->client.channel())->List(listing.get(), request);
  for (snapshots::ListSnapshotsResponse response; reader->Read(&response);) {
    for (const auto& info : response.info()) contents.snapshots.push_back(info.name());
  }
  UPDRAFT_CHECK(reader->Finish().ok());
  return contents;
}

std::string TestAgent::Log(const std::string& instance_id, const std::string& container) {
  return OnLoop<std::string>([this, instance_id, container] {
    v1::ReadLogsRequest request;
    request.set_instance_id(instance_id);
    request.set_container(container);
    auto stream = parts_->log_store.Read(request);
    if (!stream) return std::string("error: ") + stream.error().message;
    std::string all;
    for (std::string text; !(text = (*stream)->Next(4096)).empty();) all += text;
    return all;
  });
}

std::string Get(uint16_t port, const std::string& target) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string response;
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
    const std::string request = "GET " + target + " HTTP/1.1\r\nHost: test\r\n\r\n";
    if (write(fd, request.data(), request.size()) > 0) {
      char buffer[4096];
      for (ssize_t got = 0; (got = read(fd, buffer, sizeof buffer)) > 0;) response.append(buffer, static_cast<size_t>(got));
    }
  }
  close(fd);
  const size_t body = response.find("\r\n\r\n");
  return body == std::string::npos ? "" : response.substr(body + 4);
}

uint16_t FreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  UPDRAFT_CHECK(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  UPDRAFT_CHECK(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) == 0);
  close(fd);
  return ntohs(address.sin_port);
}

v1::InstanceSpec Spec(const std::string& id, uint16_t port, const std::vector<std::string>& arguments) {
  v1::InstanceSpec spec;
  spec.set_instance_id(id);
  spec.set_namespace_("default");
  spec.set_revision("hello-00001");
  spec.set_serving_container("user-container");
  spec.set_port(port);
  spec.set_termination_grace_ns(Nanos(Seconds(5)).count());
  v1::Container& container = *spec.add_containers();
  container.set_name("user-container");
  container.set_image("test/app");
  for (const std::string& argument : arguments) container.add_args(argument);
  v1::EnvVar& variable = *container.add_env();
  variable.set_name("PORT");
  variable.set_value(std::to_string(port));
  container.mutable_readiness_probe()->mutable_tcp();
  container.mutable_readiness_probe()->set_success_threshold(1);
  container.set_termination_message_path("/dev/termination-log");
  container.set_termination_message_from_log(true);
  return spec;
}

}  // namespace updraft::node_agent
