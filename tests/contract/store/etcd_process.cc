#include "tests/contract/store/etcd_process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <utility>

#include "core/base/check.h"

namespace updraft::store {
namespace {

constexpr int kAttemptsMax = 5;
constexpr int kStartMillisMax = 30'000;

std::string FreeEndpoint() {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  UPDRAFT_CHECK(bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0);
  UPDRAFT_CHECK(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  close(fd);
  return "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
}

// Where a program says that it serves, as systemd would be told.
int ListenForReady(const std::string& path) {
  unlink(path.c_str());
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  UPDRAFT_CHECK(path.size() < sizeof(address.sun_path));
  path.copy(address.sun_path, path.size());
  UPDRAFT_CHECK(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
  return fd;
}

}  // namespace

bool EtcdProcess::Installed() { return access("/usr/bin/etcd", X_OK) == 0; }

EtcdProcess::EtcdProcess(Member member, Unstarted)
    : member_(std::move(member)), endpoint_(FreeEndpoint()) {
  std::filesystem::remove_all(member_.folder);
  std::filesystem::create_directories(member_.folder);
}

EtcdProcess::EtcdProcess(Member member) : EtcdProcess(std::move(member), Unstarted()) {
  // The port may be taken between the moment that it is found free and etcd's start.
  for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
    Spawn();
    if (AwaitReady()) return;
    std::filesystem::remove_all(member_.folder + "/data");
    endpoint_ = FreeEndpoint();
  }
  UPDRAFT_CHECK(!"etcd does not start: see etcd.log");
}

EtcdProcess::~EtcdProcess() {
  Kill();
  std::filesystem::remove_all(member_.folder);
}

std::vector<std::unique_ptr<EtcdProcess>> EtcdProcess::StartCluster(const std::string& folder,
                                                                    int members) {
  std::vector<std::unique_ptr<EtcdProcess>> cluster;
  for (int i = 1; i <= members; ++i) {
    cluster.emplace_back(new EtcdProcess({.folder = folder + "/" + std::to_string(i),
                                          .flags = {"--unsafe-no-fsync"},
                                          .number = i,
                                          .members = members},
                                         Unstarted()));
  }
  for (const auto& member : cluster) member->Spawn();
  for (const auto& member : cluster) UPDRAFT_CHECK(member->AwaitReady());
  return cluster;
}

void EtcdProcess::Start() {
  Spawn();
  UPDRAFT_CHECK(AwaitReady());
}

void EtcdProcess::Spawn() {
  const std::string ready_path = member_.folder + "/ready";
  ready_ = ListenForReady(ready_path);
  const std::string client_url = (member_.tls ? "https://" : "http://") + endpoint_;
  const auto peer = [](int number) { return "unix://localhost:" + std::to_string(number); };
  const auto name = [](int number) { return "m" + std::to_string(number); };
  std::string everybody;
  for (int i = 1; i <= member_.members; ++i)
    everybody += (i == 1 ? "" : ",") + name(i) + "=" + peer(i);
  const std::string peer_url = peer(member_.number);
  std::vector<std::string> words = {"/usr/bin/etcd",
                                    "--name=" + name(member_.number),
                                    "--data-dir=" + member_.folder + "/data",
                                    "--logger=zap",
                                    "--log-level=warn",
                                    "--listen-client-urls=" + client_url,
                                    "--advertise-client-urls=" + client_url,
                                    "--listen-peer-urls=" + peer_url,
                                    "--initial-advertise-peer-urls=" + peer_url,
                                    "--initial-cluster=" + everybody,
                                    "--heartbeat-interval=10",
                                    "--election-timeout=100"};
  words.insert(words.end(), member_.flags.begin(), member_.flags.end());
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const std::string log_path = member_.folder + "/etcd.log";
  const std::string sockets = std::filesystem::path(member_.folder).parent_path();
  std::string notify = "NOTIFY_SOCKET=" + ready_path;
  char* environment[] = {notify.data(), nullptr};

  pid_ = fork();
  UPDRAFT_CHECK(pid_ >= 0);
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int log = open(log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    if (chdir(sockets.c_str()) != 0) _exit(1);
    execve(arguments[0], arguments.data(), environment);
    _exit(1);
  }
}

bool EtcdProcess::AwaitReady() {
  const int child = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
  pollfd fds[] = {{.fd = ready_, .events = POLLIN, .revents = 0},
                  {.fd = child, .events = POLLIN, .revents = 0}};
  poll(fds, 2, kStartMillisMax);
  const bool serves = (fds[0].revents & POLLIN) != 0;
  close(child);
  close(ready_);
  if (!serves) Kill();
  return serves;
}

void EtcdProcess::Kill() {
  if (pid_ == 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = 0;
}

}  // namespace updraft::store
