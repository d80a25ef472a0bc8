#include <gmock/gmock.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <future>

#include "node-agent/network/netns.h"
#include "node-agent/network/teardown.h"
#include "tests/integration/network/network_host.h"

namespace updraft::node_agent {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

class NetworkPoolTest : public NetworkHostTest {
 protected:
  std::unique_ptr<NetworkPool> Start(size_t ready_count = 2) {
    auto pool = NetworkPool::Start(loop_.loop(), Options(ready_count));
    EXPECT_TRUE(pool) << (pool ? "" : pool.error().message);
    return pool ? std::move(*pool) : nullptr;
  }

  ClaimedNetwork Claimed(NetworkPool& pool, const std::string& instance) {
    const auto network = Claim(loop_.loop(), pool, instance);
    EXPECT_TRUE(network) << (network ? "" : network.error().message);
    return network ? *network : ClaimedNetwork();
  }

  // Runs `body` in another process, which then dies by SIGKILL.
  static void InProcessThatDies(const std::function<void()>& body) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      body();
      kill(getpid(), SIGKILL);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
  }

  size_t LinkCount() const { return std::stoul(Shell("ip -o link show master utest0 | wc -l")); }

  LoopThread loop_{"test"};
};

TEST_F(NetworkPoolTest, InstancesReachTheMachineEachOtherAndThemselves) {
  const auto pool = Start();
  const ClaimedNetwork a = Claimed(*pool, "a");
  const ClaimedNetwork b = Claimed(*pool, "b");
  EXPECT_NE(a.address, b.address);
  EXPECT_EQ(a.gateway, "10.77.0.1");
  EXPECT_EQ(PeerSeen("", a.namespace_path, a.address), "10.77.0.1");
  EXPECT_EQ(PeerSeen(a.namespace_path, "", "10.77.0.1"), a.address);
  EXPECT_EQ(PeerSeen(b.namespace_path, a.namespace_path, a.address), b.address);
  EXPECT_EQ(PeerSeen(a.namespace_path, a.namespace_path, a.address), a.address);
  EXPECT_EQ(PeerSeen(a.namespace_path, a.namespace_path, "127.0.0.1"), "127.0.0.1");
}

TEST_F(NetworkPoolTest, TheWorldSeesTheMachinesAddress) {
  const auto pool = Start();
  const ClaimedNetwork a = Claimed(*pool, "a");
  EXPECT_EQ(PeerSeen(a.namespace_path, outside_, "192.0.2.2"), "192.0.2.1");
}

TEST_F(NetworkPoolTest, TheWayOutSetsTheMtu) {
  const auto pool = Start();
  const ClaimedNetwork a = Claimed(*pool, "a");
  EXPECT_EQ(a.mtu, 1400U);
  EXPECT_THAT(Shell("ip link show utest0"), HasSubstr("mtu 1400"));
  EXPECT_THAT(Shell("nsenter --net=" + a.namespace_path + " ip link show eth0"),
              HasSubstr("mtu 1400"));
}

TEST_F(NetworkPoolTest, NobodyAsksByArp) {
  const auto pool = Start();
  const ClaimedNetwork a = Claimed(*pool, "a");
  EXPECT_THAT(Shell("ip neigh show dev utest0 " + a.address), HasSubstr("PERMANENT"));
  EXPECT_THAT(Shell("nsenter --net=" + a.namespace_path + " ip neigh"),
              HasSubstr("10.77.0.1 dev eth0"));
  EXPECT_THAT(Shell("bridge -d link show"), HasSubstr("hairpin on"));
  EXPECT_THAT(Shell("bridge -d link show"), HasSubstr("flood off"));
}

TEST_F(NetworkPoolTest, UsersMayListenOnLowPorts) {
  const auto pool = Start();
  const ClaimedNetwork a = Claimed(*pool, "a");
  EXPECT_EQ(Shell("nsenter --net=" + a.namespace_path +
                  " cat /proc/sys/net/ipv4/ip_unprivileged_port_start"),
            "0\n");
}

TEST_F(NetworkPoolTest, AReadyNetworkIsTakenWithoutWaiting) {
  const auto pool = Start(8);
  Await("a full pool", [&] { return pool->ready_count() == 8; });
  std::promise<std::vector<int64_t>> took;
  loop_.loop().Post([&] {
    std::vector<int64_t> micros;
    for (int i = 0; i < 8; ++i) {
      const TimePoint begin = RealClock().Now();
      bool at_once = false;
      pool->Claim("i" + std::to_string(i), [&at_once](const Result<ClaimedNetwork>& network) {
        at_once = network.has_value();
      });
      micros.push_back((RealClock().Now() - begin).count() / 1000);
      EXPECT_TRUE(at_once);
    }
    took.set_value(micros);
  });
  std::vector<int64_t> micros = took.get_future().get();
  std::ranges::sort(micros);
  std::cout << "claims took " << micros.front() << " to " << micros.back() << " us, median "
            << micros[micros.size() / 2] << "\n";
  Await("a full pool again", [&] { return pool->ready_count() == 8; });
}

TEST_F(NetworkPoolTest, MakesOneForWhoeverWaits) {
  const auto pool = Start(0);
  const TimePoint begin = RealClock().Now();
  constexpr int kCount = 20;
  for (int i = 0; i < kCount; ++i) {
    const ClaimedNetwork network = Claimed(*pool, "i" + std::to_string(i));
    EXPECT_TRUE(IsNamespace(network.namespace_path));
  }
  const auto micros = (RealClock().Now() - begin).count() / 1000 / kCount;
  std::cout << "built without pool in " << micros << " us each\n";
}

TEST_F(NetworkPoolTest, ASecondClaimIsTheFirst) {
  const auto pool = Start();
  EXPECT_EQ(Claimed(*pool, "a").address, Claimed(*pool, "a").address);
  EXPECT_EQ(pool->Find("a")->address, Claimed(*pool, "a").address);
  EXPECT_FALSE(pool->Find("b").has_value());
}

TEST_F(NetworkPoolTest, AnUndoneClaimIsNotAnswered) {
  const auto pool = Start(0);
  std::promise<void> posted;
  std::atomic<bool> answered = false;
  loop_.loop().Post([&] {
    pool->Claim("a", [&](const Result<ClaimedNetwork>&) { answered = true; });
    pool->Release("a");
    posted.set_value();
  });
  posted.get_future().wait();
  Claimed(*pool, "b");  // whatever was under way for a is over
  EXPECT_FALSE(answered);
  EXPECT_THAT(pool->Claims(), UnorderedElementsAre("b"));
}

TEST_F(NetworkPoolTest, ReleasedNetworksGoTogether) {
  const auto pool = Start(0);
  std::vector<ClaimedNetwork> networks;
  for (int i = 0; i < 32; ++i) networks.push_back(Claimed(*pool, "i" + std::to_string(i)));
  EXPECT_EQ(LinkCount(), 32U);
  const TimePoint begin = RealClock().Now();
  for (int i = 0; i < 32; ++i) pool->Release("i" + std::to_string(i));
  Await("removal", [&] { return !IsNamespace(networks.back().namespace_path); });
  std::cout << "32 networks removed in " << (RealClock().Now() - begin).count() / 1'000'000
            << " ms\n";
  Await("removal", [&] { return LinkCount() == 0; });
  EXPECT_THAT(Shell("ip neigh show dev utest0"), IsEmpty());
  EXPECT_THAT(pool->Claims(), IsEmpty());
}

TEST_F(NetworkPoolTest, AnAddressCanBeUsedAgain) {
  NetworkPool::Options options = Options(0);
  options.subnet = "10.77.0.0/29";
  auto pool = NetworkPool::Start(loop_.loop(), options);
  ASSERT_TRUE(pool);
  for (int round = 0; round < 3; ++round) {
    std::vector<std::string> instances;
    for (int i = 0; i < 5; ++i) {
      const std::string name = "r" + std::to_string(round) + "-" + std::to_string(i);
      Result<ClaimedNetwork> network = Error{};
      // Full until the last round's are removed.
      Await("an address", [&] {
        network = Claim(loop_.loop(), **pool, name);
        return network.has_value();
      });
      EXPECT_EQ(PeerSeen("", network->namespace_path, network->address), "10.77.0.1");
      instances.push_back(name);
    }
    const auto none = Claim(loop_.loop(), **pool, "one-too-many");
    ASSERT_FALSE(none);
    EXPECT_THAT(none.error().message, HasSubstr("all addresses of 10.77.0.0/29 are in use"));
    for (const std::string& name : instances) (*pool)->Release(name);
  }
}

TEST_F(NetworkPoolTest, AKilledAgentsInstancesAreAdopted) {
  const std::string handed = folder_ + "/handed";
  InProcessThatDies([&] {
    LoopThread loop("child");
    auto pool = NetworkPool::Start(loop.loop(), Options(3));
    if (!pool) return;
    for (const char* name : {"kept", "gone"}) {
      const auto network = Claim(loop.loop(), **pool, name);
      if (network) std::ofstream(handed + name) << network->address;
    }
    Await("a full pool", [&] { return (*pool)->ready_count() == 3; });
    kill(getpid(), SIGKILL);
  });
  std::string kept_address;
  std::ifstream(handed + "kept") >> kept_address;
  const size_t left = LinkCount();
  EXPECT_EQ(left, 5U);

  const auto pool = Start(1);
  EXPECT_THAT(pool->Claims(), UnorderedElementsAre("gone", "kept"));
  ASSERT_TRUE(pool->Find("kept").has_value());
  EXPECT_EQ(pool->Find("kept")->address, kept_address);
  EXPECT_EQ(PeerSeen("", pool->Find("kept")->namespace_path, kept_address), "10.77.0.1");
  EXPECT_EQ(PeerSeen(pool->Find("kept")->namespace_path, outside_, "192.0.2.2"), "192.0.2.1");
  pool->Adopt("kept");
  pool->AdoptionIsOver();
  EXPECT_THAT(pool->Claims(), UnorderedElementsAre("kept"));
  Await("removal of the rest", [&] { return LinkCount() == 2; });  // kept, and one that is ready
  EXPECT_NE(Claimed(*pool, "new").address, kept_address);
}

TEST_F(NetworkPoolTest, ANamespaceThatVanishedIsNotAdopted) {
  {
    const auto pool = Start(0);
    Claimed(*pool, "a");
  }
  ASSERT_EQ(umount2((run_ + "/netns/ns-10.77.0.2").c_str(), MNT_DETACH), 0);
  const auto pool = Start(0);
  EXPECT_THAT(pool->Claims(), IsEmpty());
  Await("removal", [&] { return LinkCount() == 0; });
  EXPECT_TRUE(IsNamespace(Claimed(*pool, "a").namespace_path));
}

TEST_F(NetworkPoolTest, TheEndRemovesThePoolAndKeepsTheClaims) {
  {
    const auto pool = Start(3);
    Claimed(*pool, "a");
  }
  EXPECT_EQ(LinkCount(), 1U);
}

TEST_F(NetworkPoolTest, TeardownLeavesNothing) {
  const std::string before = Traces();
  {
    const auto pool = Start(3);
    Claimed(*pool, "a");
    EXPECT_EQ(Shell("cat /proc/sys/net/ipv4/ip_forward"), "1\n");
    EXPECT_THAT(Shell("nft list tables"), HasSubstr("updraft_utest0"));
  }
  const Status down = TearDownNetwork({.bridge = "utest0", .run = run_});
  EXPECT_TRUE(down) << down.error().message;
  EXPECT_EQ(Traces(), before);
  EXPECT_TRUE(TearDownNetwork({.bridge = "utest0", .run = run_}));  // nothing there: no error
}

TEST_F(NetworkPoolTest, IpForwardIsRestoredWithTheLastBridge) {
  NetworkPool::Options other = Options(0);
  other.bridge = "utest1";
  other.subnet = "10.78.0.0/16";
  other.run = folder_ + "/run1";
  {
    const auto first = Start(0);
    const auto second = NetworkPool::Start(loop_.loop(), other);
    ASSERT_TRUE(second) << second.error().message;
  }
  EXPECT_TRUE(TearDownNetwork({.bridge = "utest0", .run = run_}));
  EXPECT_EQ(Shell("cat /proc/sys/net/ipv4/ip_forward"), "1\n");
  EXPECT_TRUE(TearDownNetwork({.bridge = "utest1", .run = other.run}));
  EXPECT_EQ(Shell("cat /proc/sys/net/ipv4/ip_forward"), "0\n");
}

TEST_F(NetworkPoolTest, ForwardingWorksBesideAFirewallThatDropsIt) {
  if (Shell("command -v iptables || true").empty()) GTEST_SKIP() << "iptables is not installed";
  Shell("iptables -P FORWARD DROP");
  const std::string before = Shell("iptables -S");
  {
    const auto pool = Start(0);
    const ClaimedNetwork a = Claimed(*pool, "a");
    EXPECT_EQ(PeerSeen(a.namespace_path, outside_, "192.0.2.2"), "192.0.2.1");
    EXPECT_THAT(Shell("iptables -S FORWARD"), HasSubstr("-i utest0"));
  }
  {
    const auto again = Start(0);  // does not add the rules twice
  }
  EXPECT_EQ(Shell("iptables -S FORWARD | grep -c utest0"), "2\n");
  EXPECT_TRUE(TearDownNetwork({.bridge = "utest0", .run = run_}));
  EXPECT_EQ(Shell("iptables -S"), before);
}

TEST_F(NetworkPoolTest, ABridgeWithAnotherAddressGetsOurs) {
  Shell("ip link add utest0 type bridge; ip address add 10.5.0.1/24 dev utest0");
  const auto pool = Start(0);
  EXPECT_THAT(Shell("ip -4 address show utest0"), HasSubstr("10.77.0.1/16"));
  EXPECT_THAT(Shell("ip -4 address show utest0"), Not(HasSubstr("10.5.0.1")));
}

TEST_F(NetworkPoolTest, ANameThatIsTakenIsAnError) {
  Shell("ip link add utest0 type veth peer name other0");
  const auto pool = NetworkPool::Start(loop_.loop(), Options());
  ASSERT_FALSE(pool);
  EXPECT_THAT(pool.error().message, HasSubstr("it is no bridge"));
}

TEST_F(NetworkPoolTest, AWrongSubnetIsAnError) {
  NetworkPool::Options options = Options();
  options.subnet = "10.77.0.0/33";
  const auto pool = NetworkPool::Start(loop_.loop(), options);
  ASSERT_FALSE(pool);
  EXPECT_EQ(pool.error().code, Code::kInvalidArgument);
}

}  // namespace
}  // namespace updraft::node_agent
