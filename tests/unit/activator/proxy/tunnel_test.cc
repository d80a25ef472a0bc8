// Upgraded connections and bodies that flow both ways at once.
#include <gtest/gtest.h>

#include <atomic>

#include "tests/unit/activator/proxy/proxy_fixture.h"

namespace updraft::activator {
namespace {

using http::Exchange;
using http::RawClient;
using http::Task;

constexpr const char* kUpgrade =
    "GET /ws HTTP/1.1\r\nHost: app.test\r\nConnection: keep-alive, Upgrade\r\nUpgrade: "
    "websocket\r\n"
    "Sec-WebSocket-Key: k\r\n\r\n";
constexpr const char* kSwitched =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: "
    "websocket\r\nSec-WebSocket-Accept: a\r\n\r\n";

struct Tunnel {
  explicit Tunnel(ProxySetup setup = {})
      : proxy(std::move(setup)), client(proxy.port()), instance(Open()) {}

  RawClient Open() {
    proxy.SetPorts({backend.port()});
    client.Send(std::string(kUpgrade) + "early");
    RawClient accepted = backend.Accept();
    request = accepted.ReadUntil("\r\n\r\n");
    accepted.Send(kSwitched);
    response = client.ReadUntil("\r\n\r\n");
    return accepted;
  }

  RawBackend backend;
  ProxyFixture proxy;
  RawClient client;
  std::string request;
  std::string response;
  RawClient instance;
};

TEST(TunnelTest, CarriesBytesAsTheyAre) {
  Tunnel tunnel;
  EXPECT_NE(tunnel.request.find("\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"),
            std::string::npos)
      << tunnel.request;
  EXPECT_NE(tunnel.response.find("Upgrade: websocket\r\n"), std::string::npos) << tunnel.response;
  EXPECT_NE(tunnel.response.find("Connection: Upgrade\r\n"), std::string::npos) << tunnel.response;
  EXPECT_NE(tunnel.response.find("Sec-WebSocket-Accept: a\r\n"), std::string::npos);
  EXPECT_EQ(tunnel.instance.ReadExactly(5), "early");  // sent behind the request, before the 101
  for (int i = 0; i < 100; ++i) {
    const std::string text =
        "GET / HTTP/1.1\r\n\r\n" + std::string(static_cast<size_t>(i) * 500, 'x');
    tunnel.client.Send(text);
    ASSERT_EQ(tunnel.instance.ReadExactly(text.size()), text);
    tunnel.instance.Send(text);
    ASSERT_EQ(tunnel.client.ReadExactly(text.size()), text);
  }
}

TEST(TunnelTest, EachSideMayCloseFirst) {
  {
    Tunnel tunnel;
    tunnel.instance.ReadExactly(5);
    tunnel.client.FinishWriting();
    EXPECT_EQ(tunnel.instance.ReadAll(), "");
    tunnel.instance.Send("last words");
    tunnel.instance.Close();
    EXPECT_EQ(tunnel.client.ReadAll(), "last words");
    EXPECT_FALSE(tunnel.client.was_reset());
  }
  Tunnel tunnel;
  tunnel.instance.ReadExactly(5);
  tunnel.instance.FinishWriting();
  EXPECT_EQ(tunnel.client.ReadAll(), "");
  tunnel.client.Send("last words");
  tunnel.client.Close();
  EXPECT_EQ(tunnel.instance.ReadAll(), "last words");
}

TEST(TunnelTest, EndsWhenEitherSideIsLost) {
  {
    Tunnel tunnel;
    tunnel.instance.Reset();
    tunnel.client.ReadAll();
    EXPECT_TRUE(tunnel.client.closed());
    while (tunnel.proxy.connections() > 0) {
    }
  }
  Tunnel tunnel;
  tunnel.instance.ReadExactly(5);
  tunnel.client.Reset();
  tunnel.instance.ReadAll();
  EXPECT_TRUE(tunnel.instance.closed());
  while (tunnel.proxy.connections() > 0) {
  }
}

TEST(TunnelTest, AnAcceptedUpgradeIsAResponseThatBeganAndTrafficIsActivity) {
  ProxySetup setup;
  setup.revision.response_start_timeout = Millis(50);
  setup.revision.idle_timeout = Millis(150);
  Tunnel tunnel(setup);
  tunnel.instance.ReadExactly(5);
  Loop pace;
  for (int i = 1; i <= 4; ++i) {
    pace.After(Millis(80 * i), [&tunnel] { tunnel.client.Send("ping"); });
  }
  pace.After(Millis(330), [&pace] { pace.Stop(); });
  pace.Run();
  EXPECT_EQ(tunnel.instance.ReadExactly(16), "pingpingpingping");
  tunnel.instance.Send("pong");
  EXPECT_EQ(tunnel.client.ReadExactly(4), "pong");
  EXPECT_EQ(tunnel.instance.ReadAll(), "");  // silent for too long: cut
  EXPECT_EQ(tunnel.client.ReadAll(), "");
}

TEST(TunnelTest, AnOpenButSilentOneIsToldToLetGo) {
  ProxySetup setup;
  setup.revision.silent_stream_timeout = Millis(150);
  Tunnel tunnel(setup);
  tunnel.instance.ReadExactly(5);
  tunnel.client.Send("ping");
  EXPECT_EQ(tunnel.instance.ReadExactly(4), "ping");
  EXPECT_EQ(tunnel.instance.ReadAll(), "");
  EXPECT_EQ(tunnel.client.ReadAll(), "");
}

TEST(TunnelTest, TheTotalTimeEndsATunnelHoweverMuchItCarries) {
  ProxySetup setup;
  setup.revision.timeout = Millis(150);
  Tunnel tunnel(setup);
  tunnel.instance.ReadExactly(5);
  Loop pace;
  for (int i = 1; i <= 20; ++i) pace.After(Millis(10 * i), [&tunnel] { tunnel.client.Send("x"); });
  pace.After(Millis(210), [&pace] { pace.Stop(); });
  pace.Run();
  EXPECT_LT(tunnel.instance.ReadAll().size(), 20u);
  tunnel.client.ReadAll();
  EXPECT_TRUE(tunnel.client.closed());
  EXPECT_EQ(tunnel.proxy.proxy().counters().timeouts.value(), 1u);
}

TEST(TunnelTest, WhatATunnelCarriesIsCountedWhileItLasts) {
  Tunnel tunnel;
  tunnel.instance.ReadExactly(5);
  tunnel.client.Send("ping");
  tunnel.instance.ReadExactly(4);
  tunnel.instance.Send("pongpong");
  tunnel.client.ReadExactly(8);
  EXPECT_EQ(tunnel.proxy.traffic().bytes_in, 9u);
  EXPECT_EQ(tunnel.proxy.traffic().bytes_out, 8u);
}

TEST(TunnelTest, ARefusedUpgradeIsAnOrdinaryAnswer) {
  RawBackend backend;
  ProxyFixture proxy;
  proxy.SetPorts({backend.port()});
  RawClient client(proxy.port());
  client.Send(kUpgrade);
  RawClient instance = backend.Accept();
  instance.ReadUntil("\r\n\r\n");
  instance.Send("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
  EXPECT_EQ(http::BodyOf(client.ReadResponse()), "no");
  client.Send("GET / HTTP/1.1\r\nHost: app.test\r\n\r\n");
  EXPECT_TRUE(instance.ReadUntil("\r\n\r\n").starts_with("GET / "));
}

// ---- bodies both ways

// Sends back what comes, as it comes.
Task<void> Echo(Exchange& exchange) {
  (void)co_await exchange.StartResponse(200, http::Headers());
  while (true) {
    Result<std::string> piece = co_await exchange.ReadSome();
    if (!piece || piece->empty()) break;
    const Status written = co_await exchange.Write(*std::move(piece));
    if (!written) co_return;
  }
  (void)co_await exchange.Finish();
}

TEST(StreamingTest, AnEchoOfABodyMuchLargerThanAllBuffersDoesNotStall) {
  constexpr size_t kPieces = 16384;  // a gigabyte
  const std::string piece(1 << 16, 'e');
  http::TestServer backend(Echo);
  ProxyFixture proxy;
  proxy.SetPorts({backend.port()});
  RawClient client(proxy.port());
  std::thread sender([&client, &piece] {
    client.Send("POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: " +
                std::to_string(kPieces * piece.size()) + "\r\n\r\n");
    for (size_t i = 0; i < kPieces; ++i) client.Send(piece);
  });
  size_t received = 0;
  client.ReadUntil("\r\n\r\n");
  while (true) {
    const std::string line = client.ReadUntil("\r\n");
    const size_t size = std::stoul(line, nullptr, 16);
    if (size == 0) break;
    received += size;
    client.ReadExactly(size + 2);
  }
  sender.join();
  EXPECT_EQ(received, kPieces * piece.size());
}

Task<void> NeverRead(Exchange& exchange, std::promise<void>* entered) {
  http::Signal gone(exchange.loop());
  exchange.OnClientGone([&gone] { gone.Notify(); });
  entered->set_value();
  co_await gone.Wait();
}

TEST(StreamingTest, AnInstanceThatDoesNotReadStopsItsClient) {
  std::promise<void> entered;
  http::TestServer backend(
      [&entered](Exchange& exchange) { return NeverRead(exchange, &entered); });
  ProxyFixture proxy;
  proxy.SetPorts({backend.port()});
  RawClient client(proxy.port());
  client.Send("POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 10000000000\r\n\r\n");
  entered.get_future().wait();
  const timeval patience{0, 300'000};
  setsockopt(client.fd(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  const std::string piece(1 << 16, 'u');
  size_t sent = 0;
  while (client.Send(piece)) sent += piece.size();
  EXPECT_LT(sent, size_t{64} << 20);  // what the kernel's buffers of four sockets hold
}

}  // namespace
}  // namespace updraft::activator
