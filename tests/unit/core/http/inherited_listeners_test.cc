#include "core/http/inherited_listeners.h"

#include <gtest/gtest.h>

#include <set>

#include "core/http/acceptor.h"
#include "tests/unit/core/http/raw_client.h"

namespace updraft::http {
namespace {

SocketAddress Loopback(uint16_t port) { return *ParseAddress("127.0.0.1:" + std::to_string(port)); }

// So many sockets that share a port, inherited.
struct Inherited {
  explicit Inherited(int count) {
    for (int i = 0; i < count; ++i) {
      UniqueFd socket = *BindListener(Loopback(port), PortSharing::kShared);
      port = BoundPort(socket.get());
      listeners.Add(std::move(socket));
    }
  }
  uint16_t port = 0;
  InheritedListeners listeners;
};

size_t AcceptAll(const std::vector<UniqueFd>& sockets) {
  size_t accepted = 0;
  for (const UniqueFd& socket : sockets) {
    while (UniqueFd(accept4(socket.get(), nullptr, nullptr, SOCK_CLOEXEC))) ++accepted;
  }
  return accepted;
}

// Whatever the numbers of servers before and after, nobody who connected is lost.
TEST(InheritedListenersTest, EverySocketIsSomebodysAndEverybodyHasOne) {
  for (const int before : {1, 2, 3, 8}) {
    for (const uint32_t after : {1u, 2u, 3u, 8u}) {
      const Inherited inherited(before);
      std::vector<RawClient> clients;
      for (int i = 0; i < 16; ++i) clients.emplace_back(inherited.port);
      size_t accepted = 0;
      for (uint32_t server = 0; server < after; ++server) {
        const std::vector<UniqueFd> sockets =
            inherited.listeners.For(Loopback(inherited.port), server, after);
        EXPECT_GE(sockets.size(), 1u);
        accepted += AcceptAll(sockets);
      }
      EXPECT_EQ(accepted, clients.size()) << before << " -> " << after;
    }
  }
}

TEST(InheritedListenersTest, OutliveWhoGaveThemUp) {
  Inherited inherited(2);
  const auto sockets = inherited.listeners.For(Loopback(inherited.port), 0, 1);
  const RawClient waits(inherited.port);
  inherited.listeners.Clear();
  EXPECT_TRUE(inherited.listeners.empty());
  const RawClient connects(inherited.port);
  EXPECT_TRUE(connects.connected());
  EXPECT_EQ(AcceptAll(sockets), 2u);
}

TEST(InheritedListenersTest, OnlyTheAddressAndOnlyListeners) {
  const Inherited inherited(1);
  EXPECT_TRUE(inherited.listeners.For(Loopback(1), 0, 1).empty());
  EXPECT_TRUE(
      inherited.listeners.For(*ParseAddress("[::1]:" + std::to_string(inherited.port)), 0, 1)
          .empty());

  InheritedListeners none;
  none.Add(UniqueFd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)));
  none.Add(UniqueFd(dup(STDERR_FILENO)));
  EXPECT_TRUE(none.empty());

  const std::string path = testing::TempDir() + "updraft-inherited.sock";
  InheritedListeners local;
  local.Add(*BindListener(*ParseAddress("unix:" + path), PortSharing::kExclusive));
  EXPECT_EQ(local.For(*ParseAddress("unix:" + path), 0, 2).size(), 1u);
  EXPECT_TRUE(local.For(*ParseAddress("unix:" + path + "x"), 0, 2).empty());
  unlink(path.c_str());
}

}  // namespace
}  // namespace updraft::http
