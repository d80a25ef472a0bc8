#include "tests/integration/instance/private_containerd.h"

#include <fcntl.h>
#include <grpcpp/grpcpp.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/base/check.h"
#include "github.com/containerd/containerd/api/services/snapshots/v1/snapshots.grpc.pb.h"
#include "github.com/containerd/containerd/api/services/version/v1/version.grpc.pb.h"

namespace updraft::node_agent {
namespace {

namespace fs = std::filesystem;
namespace snapshots = ::containerd::services::snapshots::v1;
namespace version = ::containerd::services::version::v1;

constexpr char kConfig[] = R"(version = 2
root = "DIR/root"
state = "DIR/state"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt", "io.containerd.internal.v1.restart",
  "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.devmapper"]
[grpc]
  address = "DIR/containerd.sock"
[ttrpc]
  address = "DIR/containerd.sock.ttrpc"
)";

std::string Replace(std::string text, const std::string& from, const std::string& to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) text.replace(at, from.size(), to);
  return text;
}

std::shared_ptr<grpc::Channel> Connect(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 20);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 20);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 50);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

std::unique_ptr<grpc::ClientContext> Context() {
  auto context = std::make_unique<grpc::ClientContext>();
  context->AddMetadata("containerd-namespace", "updraft");
  context->set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  context->set_wait_for_ready(true);
  return context;
}

std::string CommandLine(const fs::path& process) {
  std::ifstream file(process / "cmdline");
  std::stringstream text;
  text << file.rdbuf();
  std::string line = text.str();
  for (char& c : line) c = c == 0 ? ' ' : c;
  return line;
}

}  // namespace

std::string PrivateContainerd::Obstacle() {
  if (geteuid() != 0) return "needs root";
  if (access("/usr/bin/containerd", X_OK) != 0) return "containerd is not installed";
  if (access("/usr/bin/crun", X_OK) != 0) return "crun is not installed";
  return "";
}

PrivateContainerd::PrivateContainerd() {
  char pattern[] = "/tmp/updraft-instance-XXXXXX";
  UPDRAFT_CHECK(mkdtemp(pattern) != nullptr);
  directory_ = pattern;
  std::ofstream(directory_ + "/config.toml") << Replace(kConfig, "DIR", directory_);
  Start();
  MakeRootSnapshot();
}

PrivateContainerd::~PrivateContainerd() {
  for (const pid_t shim : Shims()) kill(shim, SIGKILL);
  if (pid_ > 0) Kill(SIGTERM);
  std::error_code ignored;
  fs::remove_all(directory_, ignored);
}

void PrivateContainerd::Start() {
  pid_ = fork();
  UPDRAFT_CHECK(pid_ >= 0);
  if (pid_ == 0) {
    const int log = open((directory_ + "/containerd.log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
    dup2(log, 1);
    dup2(log, 2);
    setpgid(0, 0);
    const std::string command =
        "umount /sys/fs/cgroup/unified 2>/dev/null; exec containerd -c " + directory_ + "/config.toml";
    execlp("unshare", "unshare", "-m", "sh", "-c", command.c_str(), nullptr);
    _exit(127);
  }
  const auto stub = version::Version::NewStub(Connect(address()));
  version::VersionResponse response;
  const auto status = stub->Version(Context().get(), google::protobuf::Empty(), &response);
  if (!status.ok()) fprintf(stderr, "containerd: %s\n", status.error_message().c_str());
  UPDRAFT_CHECK(status.ok());
}

void PrivateContainerd::Kill(int signal) {
  kill(pid_, signal);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

std::vector<pid_t> PrivateContainerd::Shims(const std::string& container_id) const {
  std::vector<pid_t> shims;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const std::string line = CommandLine(entry.path());
    if (line.find("containerd-shim") == std::string::npos || line.find(directory_) == std::string::npos) continue;
    if (!container_id.empty() && line.find("-id " + container_id + " ") == std::string::npos) continue;
    shims.push_back(std::stoi(name));
  }
  return shims;
}

// A snapshot without parent is a plain folder, which is filled in place.
void PrivateContainerd::MakeRootSnapshot() {
  const auto stub = snapshots::Snapshots::NewStub(Connect(address()));
  snapshots::PrepareSnapshotRequest prepare;
  prepare.set_snapshotter("overlayfs");
  prepare.set_key("test-root-active");
  (*prepare.mutable_labels())["containerd.io/gc.root"] = "test";  // else containerd may collect it at once
  snapshots::PrepareSnapshotResponse prepared;
  UPDRAFT_CHECK(stub->Prepare(Context().get(), prepare, &prepared).ok());
  const fs::path root = prepared.mounts(0).source();
  fs::create_directories(root / "etc");
  fs::create_directories(root / "tmp");
  chmod((root / "tmp").c_str(), 01777);
  fs::copy_file(UPDRAFT_TEST_APP, root / "app");
  std::ofstream(root / "etc/passwd") << "root:x:0:0::/:/app\napp:x:1000:1001::/:/app\n";
  std::ofstream(root / "etc/group") << "root:x:0:\napp:x:1001:\nextra:x:77:app\n";
  snapshots::CommitSnapshotRequest commit;
  commit.set_snapshotter("overlayfs");
  commit.set_name(root_snapshot_);
  commit.set_key("test-root-active");
  (*commit.mutable_labels())["containerd.io/gc.root"] = "test";
  google::protobuf::Empty nothing;
  UPDRAFT_CHECK(stub->Commit(Context().get(), commit, &nothing).ok());
}

}  // namespace updraft::node_agent
