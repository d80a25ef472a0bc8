// Upgraded connections: how long they live, how they end, and ten thousand of them.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <random>
#include <thread>

#include "tests/integration/http/memory.h"
#include "tests/integration/http/wire.h"
#include "tests/unit/core/http/test_server.h"

namespace updraft::activator {
namespace {

using namespace std::string_literals;

const std::string kUpgrade =
    "GET /ws HTTP/1.1\r\nHost: app.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
const std::string kSwitched =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

// A WebSocket server as far as the activator can tell: it sends back what comes.
http::Task<void> EchoTunnel(http::Exchange& exchange) {
  http::ResponseHead head;
  head.status = 101;
  head.headers = {{"Upgrade", "websocket"},
                  {"Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="}};
  http::Part part{&head, {}, false, nullptr};
  Status sent = co_await exchange.Send(part);
  while (sent && !part.last) {
    const Result<std::string_view> piece = co_await exchange.ReadView();
    if (!piece) co_return;
    part = {nullptr, *piece, piece->empty(), nullptr};
    sent = co_await exchange.Send(part);
  }
}

RawClient OpenSocket(uint16_t port) {
  RawClient client(port);
  client.Send(kUpgrade);
  EXPECT_TRUE(client.ReadUntil("\r\n\r\n").starts_with("HTTP/1.1 101 "));
  return client;
}

RevisionSettings Short() {
  RevisionSettings settings;
  settings.timeout = Seconds(60);
  settings.response_start_timeout = Millis(150);
  settings.idle_timeout = Millis(500);
  return settings;
}

TEST(WebSocketTest, LivesOnWithTrafficAndNoLongerThanItsTimeoutsWithout) {
  http::TestServer backend(EchoTunnel);
  ActivatorFixture activator(Workers(2), Short());
  activator.SetPorts({backend.port()});
  RawClient client = OpenSocket(activator.port());
  const TimePoint start = RealClock().Now();
  Loop pace;
  int echoed = 0;
  for (int i = 1; i <= 12; ++i) {
    pace.After(Millis(80 * i), [&client, &echoed] {
      client.Send("ping");
      echoed += client.ReadExactly(4) == "ping" ? 1 : 0;
    });
  }
  pace.After(Millis(970), [&pace] { pace.Stop(); });
  pace.Run();
  EXPECT_EQ(echoed, 12);
  const TimePoint last = RealClock().Now();
  EXPECT_GT(last - start, Millis(900));
  EXPECT_EQ(client.ReadAll(), "");
  EXPECT_TRUE(client.closed());
  EXPECT_GE(RealClock().Now() - last, Millis(400));
  EXPECT_LT(RealClock().Now() - last, Seconds(5));
  while (activator.in_flight(backend.port()) != 0) poll(nullptr, 0, 1);
}

TEST(WebSocketTest, EchoesMegabytesInPiecesOfAnySize) {
  http::TestServer backend(EchoTunnel);
  ActivatorFixture activator(2, 0);
  activator.SetPorts({backend.port()});
  RawClient client = OpenSocket(activator.port());
  constexpr size_t kBytes = 64 << 20;
  std::string text(1 << 20, ' ');
  std::minstd_rand random(1);
  for (char& c : text) c = static_cast<char>(random());
  std::thread sender([&client, &text] {
    std::minstd_rand sizes(2);
    for (size_t sent = 0; sent < kBytes;) {
      const size_t at = sent % text.size();
      const size_t size = std::min({size_t{1} + sizes() % 65'536, text.size() - at, kBytes - sent});
      client.Send(std::string_view(text).substr(at, size));
      sent += size;
    }
    client.FinishWriting();
  });
  bool same = true;
  for (size_t received = 0; received < kBytes && same; received += text.size())
    same = client.ReadExactly(text.size()) == text;
  sender.join();
  EXPECT_TRUE(same);
  EXPECT_EQ(client.ReadAll(), "");  // each side has closed its half
  EXPECT_FALSE(client.was_reset());
}

TEST(WebSocketTest, WhatIsSentBehindTheRequestIsNotReadAsHttpBeforeTheAnswer) {
  Wire wire;
  RawClient instance = wire.Take(kUpgrade + kGet);
  pollfd waiting{instance.fd(), POLLIN, 0};
  EXPECT_EQ(poll(&waiting, 1, 50), 0);
  instance.Send(kSwitched);
  EXPECT_EQ(instance.ReadExactly(std::string(kGet).size()), kGet);
  EXPECT_FALSE(wire.backend().HasConnection());
}

TEST(WebSocketTest, ARefusedUpgradeIsAnAnswerAndTheNextRequestFollows) {
  Wire wire;
  RawClient instance = wire.Take(kUpgrade + kGet);
  instance.Send("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
  EXPECT_EQ(BodyOf(wire.client().ReadResponse()), "no");
  EXPECT_TRUE(instance.ReadUntil("\r\n\r\n").starts_with("GET /x "));
  instance.Send(kOk);
  EXPECT_EQ(BodyOf(wire.client().ReadResponse()), "ok");
}

TEST(WebSocketTest, AnotherProtocolThanWasAskedForIsNoAnswer) {
  for (const char* other : {"Upgrade: h2c\r\n", "Upgrade: websocket, h2c\r\n", ""}) {
    Wire wire;
    RawClient instance = wire.Take(kUpgrade);
    instance.Send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"s + other +
                  "\r\nsecret");
    const std::string answer = wire.client().ReadResponse();
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 502 ")) << answer;
    EXPECT_FALSE(Has(answer, "secret"));
  }
}

TEST(WebSocketTest, AnUpgradeWithinABodyIsNoAnswer) {
  Wire wire;
  RawClient instance = wire.Take(
      "POST / HTTP/1.1\r\nHost: app.test\r\nConnection: Upgrade\r\nUpgrade: "
      "websocket\r\nContent-Length: 10\r\n\r\nhalf");
  instance.ReadUntil("half");
  instance.Send(kSwitched + "secret");
  const std::string answer = wire.client().ReadResponse();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 502 ")) << answer;
  wire.client().FinishWriting();
  EXPECT_FALSE(Has(wire.client().ReadAll(), "secret"));
  EXPECT_EQ(instance.ReadAll(), "");
}

TEST(WebSocketTest, AKilledInstanceIsSeenAtOnceAndTheSlotIsFree) {
  Wire wire;
  RawClient instance = wire.Take(kUpgrade);
  instance.Send(kSwitched + "hello");
  wire.client().ReadUntil("hello");
  const TimePoint start = RealClock().Now();
  instance.Reset();
  EXPECT_EQ(wire.client().ReadAll(), "");
  EXPECT_TRUE(wire.client().closed());
  EXPECT_LT(RealClock().Now() - start, Seconds(5));  // 100 ms on a machine with nothing else to do
  wire.WaitUntilIdle();
}

TEST(WebSocketTest, ADrainLetsThemRunUntilItsDeadline) {
  http::TestServer backend(EchoTunnel);
  ActivatorFixture activator(2, 0);
  activator.SetPorts({backend.port()});
  RawClient client = OpenSocket(activator.port());
  std::promise<void> drained;
  activator.pool().Drain(RealClock().Now() + Millis(300), [&drained] { drained.set_value(); });
  client.Send("still there");
  EXPECT_EQ(client.ReadExactly(11), "still there");
  drained.get_future().wait();
  EXPECT_EQ(client.ReadAll(), "");
  EXPECT_TRUE(client.closed());
}

// Ten thousand, or as many as the limit of open files lets be.
TEST(WebSocketTest, ManyThousandsAtOnce) {
  constexpr rlim_t kFdsEach = 4;  // of client and instance, and two of the activator
  constexpr rlim_t kFdsElse = 500;
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  rlimit wanted{10'000 * kFdsEach + kFdsElse,
                std::max(limit.rlim_max, 10'000 * kFdsEach + kFdsElse)};
  if (setrlimit(RLIMIT_NOFILE, &wanted) !=
      0) {  // only root may go beyond the hard limit, and not everywhere
    wanted = {limit.rlim_max, limit.rlim_max};
    setrlimit(RLIMIT_NOFILE, &wanted);
  }
  const size_t sockets = std::min<rlim_t>(10'000, (wanted.rlim_cur - kFdsElse) / kFdsEach);
  if (sockets < 1000) GTEST_SKIP() << "only " << limit.rlim_max << " open files are allowed";
  http::TestServer backend(EchoTunnel);
  ActivatorFixture activator(2, 0);
  activator.SetPorts({backend.port()});
  { const RawClient first = OpenSocket(activator.port()); }
  const size_t before = ResidentBytes();
  std::vector<RawClient> clients;
  clients.reserve(sockets);
  for (size_t i = 0; i < sockets; ++i) {
    clients.push_back(OpenSocket(activator.port()));
    ASSERT_TRUE(clients.back().connected());
  }
  for (RawClient& client : clients) client.Send("hello");
  for (RawClient& client : clients) ASSERT_EQ(client.ReadExactly(5), "hello");
  const size_t each = (ResidentBytes() - before) / sockets;
  std::printf("%zu sockets; %zu bytes for the ends of client, activator and instance of each\n",
              sockets, each);
  if (kMemoryCounts) {
    EXPECT_LT(each, 32u << 10);
  }
  clients.clear();
  while (activator.in_flight(backend.port()) != 0) poll(nullptr, 0, 1);
}

}  // namespace
}  // namespace updraft::activator
