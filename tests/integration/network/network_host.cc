#include "tests/integration/network/network_host.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <future>

#include "node-agent/network/netns.h"
#include "node-agent/network/program.h"

namespace updraft::node_agent {
namespace {

constexpr int kConnectMillis = 3000;
constexpr char kHere[] = "/proc/thread-self/ns/net";

sockaddr_in AddressOf(const std::string& text, uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  inet_pton(AF_INET, text.c_str(), &address.sin_addr);
  return address;
}

UniqueFd Listen(uint16_t* port) {
  UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in any = AddressOf("0.0.0.0", 0);
  socklen_t length = sizeof(any);
  if (bind(fd.get(), reinterpret_cast<sockaddr*>(&any), length) != 0 || listen(fd.get(), 8) != 0 ||
      getsockname(fd.get(), reinterpret_cast<sockaddr*>(&any), &length) != 0) {
    return {};
  }
  *port = ntohs(any.sin_port);
  return fd;
}

// Empty when connected.
std::string Connect(const std::string& address, uint16_t port) {
  const UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const sockaddr_in to = AddressOf(address, port);
  connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof(to));
  pollfd waiting{fd.get(), POLLOUT, 0};
  if (poll(&waiting, 1, kConnectMillis) != 1) return "timed out";
  int error = 0;
  socklen_t length = sizeof(error);
  getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &length);
  return error == 0 ? "" : std::generic_category().message(error);
}

std::string PeerOf(int listener) {
  sockaddr_in peer{};
  socklen_t length = sizeof(peer);
  const UniqueFd accepted(
      accept4(listener, reinterpret_cast<sockaddr*>(&peer), &length, SOCK_CLOEXEC));
  std::array<char, INET_ADDRSTRLEN> text{};
  inet_ntop(AF_INET, &peer.sin_addr, text.data(), text.size());
  return text.data();
}

void In(const std::string& where, const std::function<void()>& body) {
  const Status ran = RunInNamespace(where.empty() ? kHere : where, body);
  ASSERT_TRUE(ran) << ran.error().message;
}

}  // namespace

void NetworkHostTest::SetUpTestSuite() {
  if (geteuid() != 0) GTEST_SKIP() << "root is needed for network namespaces";
  ASSERT_EQ(unshare(CLONE_NEWNS), 0);
  ASSERT_EQ(mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
}

void NetworkHostTest::SetUp() {
  if (geteuid() != 0) GTEST_SKIP() << "root is needed for network namespaces";
  std::string pattern = "/tmp/updraft-network-XXXXXX";
  ASSERT_NE(mkdtemp(pattern.data()), nullptr);
  folder_ = pattern;
  // As /run is on most machines.
  ASSERT_EQ(mount("tmpfs", folder_.c_str(), "tmpfs", 0, nullptr), 0);
  run_ = folder_ + "/run";
  outside_ = folder_ + "/outside";
  ASSERT_EQ(unshare(CLONE_NEWNET), 0);
  Shell("ip link set lo up");
  Shell("echo 0 > /proc/sys/net/ipv4/ip_forward");  // a new namespace begins with the machine's value
  const auto outside = MakeNamespace(outside_);
  ASSERT_TRUE(outside) << outside.error().message;
  auto socket = NetlinkSocket::Open();
  ASSERT_TRUE(socket);
  const VethOrder uplink{.name = "up0",
                         .peer_name = "eth0",
                         .peer_namespace = outside->fd.get(),
                         .bridge_index = 0,
                         .mtu = 1400,
                         .peer_mac = MacFor(*ParseIpv4("192.0.2.2"))};
  const Status created = socket->Do("uplink", CreateVeth(uplink));
  ASSERT_TRUE(created) << created.error().message;
  Shell("ip address add 192.0.2.1/24 dev up0; ip route add default via 192.0.2.2");
  Shell("nsenter --net=" + outside_ +
        " sh -c 'ip link set lo up; ip link set eth0 up;"
        " ip address add 192.0.2.2/24 dev eth0'");
  std::filesystem::create_directories(run_);
}

void NetworkHostTest::TearDown() {
  if (folder_.empty()) return;
  const Status removed = RemoveNamespace(outside_);
  EXPECT_TRUE(removed);
  const Status emptied = NamespaceFolder(run_).RemoveAll();
  EXPECT_TRUE(emptied);
  umount2(folder_.c_str(), MNT_DETACH);
  std::filesystem::remove_all(folder_);
}

std::string NetworkHostTest::Shell(const std::string& command) {
  const auto output = RunProgram({"sh", "-c", command}, "");
  EXPECT_TRUE(output) << command << ": " << output.error().message;
  return output ? *output : "";
}

Result<ClaimedNetwork> NetworkHostTest::Claim(Loop& loop, NetworkPool& pool,
                                              const std::string& instance) {
  std::promise<Result<ClaimedNetwork>> answer;
  auto future = answer.get_future();
  loop.Post([&] {
    pool.Claim(instance,
               [&](Result<ClaimedNetwork> network) { answer.set_value(std::move(network)); });
  });
  return future.get();
}

void NetworkHostTest::Await(const std::string& what, const std::function<bool()>& condition) {
  const TimePoint deadline = RealClock().Now() + Seconds(10);
  while (!condition()) {
    ASSERT_LT(RealClock().Now(), deadline) << "waited in vain: " << what;
    sched_yield();
  }
}

std::string NetworkHostTest::Traces() const {
  return Shell(
      "ip -o link | sed 's/@.*//; s/^[0-9]*: //' | sort; ip route; nft list ruleset;"
      " cat /proc/sys/net/ipv4/ip_forward; grep " +
      run_ +
      " /proc/self/mountinfo | cat;"
      " find " +
      run_ + " | sort");
}

std::string NetworkHostTest::PeerSeen(const std::string& from, const std::string& to,
                                      const std::string& address) {
  uint16_t port = 0;
  UniqueFd listener;
  In(to, [&] { listener = Listen(&port); });
  std::string error = "not run";
  In(from, [&] { error = Connect(address, port); });
  if (!error.empty()) return error;
  return PeerOf(listener.get());
}

}  // namespace updraft::node_agent
