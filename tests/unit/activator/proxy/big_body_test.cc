// Bodies of known length that the kernel moves past the proxy.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <filesystem>
#include <random>
#include <thread>

#include "tests/unit/activator/proxy/proxy_fixture.h"
#include "tests/unit/core/base/stepped_clock.h"

namespace updraft::activator {
namespace {

using http::RawClient;

constexpr const char* kGetBig = "GET /big HTTP/1.1\r\nHost: app.test\r\n\r\n";
constexpr size_t kBig = 5'000'003;

// No two pieces of it are the same.
const std::string& BigBody() {
  static const std::string body = [] {
    std::string bytes(kBig, '\0');
    std::minstd_rand random(1);
    for (char& byte : bytes) byte = static_cast<char>(random());
    return bytes;
  }();
  return body;
}
std::string Head(const char* first_line, size_t length) {
  return std::string(first_line) + "\r\nHost: app.test\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n";
}

size_t OpenPipes() {
  size_t pipes = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    pipes += std::filesystem::read_symlink(entry, gone).string().starts_with("pipe:");
  }
  return pipes;
}

struct BigBodyTest : testing::Test {
  explicit BigBodyTest(ProxySetup setup = {}) : proxy(std::move(setup)) { proxy.SetPorts({backend.port()}); }

  // A request for something big, and the instance that has it.
  RawClient Ask(RawClient& client) {
    client.Send(kGetBig);
    RawClient instance = backend.Accept();
    instance.ReadUntil("\r\n\r\n");
    return instance;
  }
  uint32_t InFlight() {
    uint32_t running = 0;
    http::RunOn(proxy.loop(), [&] { running = proxy.revision().ReadLoad(RealClock()).running; });
    return running;
  }

  RawBackend backend;
  ProxyFixture proxy;
};

TEST_F(BigBodyTest, AResponsePassesWholeThroughAPipeAndBothConnectionsServeOn) {
  const size_t pipes = OpenPipes();
  RawClient client(proxy.port());
  RawClient instance = Ask(client);
  for (int i = 0; i < 3; ++i) {
    std::thread answer([&] {
      instance.Send(Head("HTTP/1.1 200 OK", kBig));
      instance.Send(BigBody());
    });
    client.ReadUntil("\r\n\r\n");
    EXPECT_TRUE(client.ReadExactly(kBig) == BigBody());
    answer.join();
    client.Send(kGetBig);
    EXPECT_TRUE(instance.ReadUntil("\r\n\r\n").starts_with("GET /big "));
  }
  EXPECT_EQ(OpenPipes(), pipes + 2) << "one pipe, which is used again";
  instance.Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  EXPECT_TRUE(client.ReadResponse().ends_with("ok"));
  EXPECT_EQ(proxy.traffic().bytes_out, 3 * kBig + 2);
  EXPECT_FALSE(backend.HasConnection());
}

TEST_F(BigBodyTest, ARequestPassesWholeThroughAPipeAndBothConnectionsServeOn) {
  const size_t pipes = OpenPipes();
  RawClient client(proxy.port());
  RawClient instance{UniqueFd()};
  for (int i = 0; i < 3; ++i) {
    std::thread ask([&] {
      client.Send(Head("POST /big HTTP/1.1", kBig));
      client.Send(BigBody());
    });
    if (i == 0) instance = backend.Accept();
    EXPECT_TRUE(instance.ReadUntil("\r\n\r\n").starts_with("POST /big "));
    EXPECT_TRUE(instance.ReadExactly(kBig) == BigBody());
    ask.join();
    instance.Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    EXPECT_TRUE(client.ReadResponse().ends_with("ok"));
  }
  EXPECT_EQ(OpenPipes(), pipes + 2);
  EXPECT_EQ(proxy.traffic().bytes_in, 3 * kBig);
  EXPECT_FALSE(backend.HasConnection());
}

TEST_F(BigBodyTest, BothWaysAtOnce) {
  RawClient client(proxy.port());
  std::thread ask([&] {
    client.Send(Head("POST /big HTTP/1.1", kBig));
    client.Send(BigBody());
  });
  RawClient instance = backend.Accept();
  instance.ReadUntil("\r\n\r\n");
  instance.Send(Head("HTTP/1.1 200 OK", kBig));
  std::thread echo([&] {
    for (size_t sent = 0; sent < kBig;) {
      const std::string piece = instance.ReadExactly(std::min<size_t>(10'000, kBig - sent));
      instance.Send(piece);
      sent += piece.size();
    }
  });
  client.ReadUntil("\r\n\r\n");
  EXPECT_TRUE(client.ReadExactly(kBig) == BigBody());
  ask.join();
  echo.join();
}

TEST_F(BigBodyTest, WithoutDescriptorsItIsReadAndWritten) {
  RawClient client(proxy.port());
  RawClient instance = Ask(client);
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  rlimit none = before;
  none.rlim_cur = 3;
  setrlimit(RLIMIT_NOFILE, &none);
  std::thread answer([&] {
    instance.Send(Head("HTTP/1.1 200 OK", kBig));
    instance.Send(BigBody());
  });
  client.ReadUntil("\r\n\r\n");
  EXPECT_TRUE(client.ReadExactly(kBig) == BigBody());
  answer.join();
  setrlimit(RLIMIT_NOFILE, &before);
}

TEST_F(BigBodyTest, WhatFollowsItsLengthIsNobodys) {
  RawClient client(proxy.port());
  RawClient instance = Ask(client);
  std::thread answer([&] {
    instance.Send(Head("HTTP/1.1 200 OK", kBig));
    instance.Send(BigBody() + "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged");
  });
  client.ReadUntil("\r\n\r\n");
  EXPECT_TRUE(client.ReadExactly(kBig) == BigBody());
  answer.join();
  client.Send(kGetBig);
  RawClient other = backend.Accept();
  other.ReadUntil("\r\n\r\n");
  other.Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  EXPECT_TRUE(client.ReadResponse().ends_with("ok"));
}

TEST_F(BigBodyTest, AnInstanceThatBreaksOffLeavesAResponseThatIsSeenToBeShort) {
  for (const bool reset : {false, true}) {
    RawClient client(proxy.port());
    RawClient instance = Ask(client);
    std::thread answer([&] {
      instance.Send(Head("HTTP/1.1 200 OK", kBig));
      instance.Send(std::string_view(BigBody()).substr(0, kBig / 2));
      if (reset) instance.Reset();
      instance.Close();
    });
    client.ReadUntil("\r\n\r\n");
    const std::string body = client.ReadExactly(kBig);
    EXPECT_TRUE(client.closed());
    EXPECT_LT(body.size(), kBig);
    EXPECT_TRUE(BigBody().starts_with(body));
    EXPECT_TRUE(reset || body.size() == kBig / 2) << body.size();
    answer.join();
    EXPECT_EQ(proxy.idle_upstreams(), 0u);
  }
}

TEST_F(BigBodyTest, AClientThatGoesAwayEndsItAndGivesTheSlotBack) {
  RawClient client(proxy.port());
  RawClient instance = Ask(client);
  std::thread answer([&] {
    instance.Send(Head("HTTP/1.1 200 OK", size_t{1} << 40));
    while (instance.Send(BigBody())) {
    }
  });
  client.ReadUntil("\r\n\r\n");
  client.ReadExactly(kBig / 2);
  client.Reset();
  answer.join();  // its connection was closed
  while (InFlight() > 0) {
  }
  EXPECT_EQ(proxy.idle_upstreams(), 0u);
}

TEST_F(BigBodyTest, AClientThatDoesNotReadHoldsTheInstanceUp) {
  RawClient client(proxy.port());
  const int small = 32 << 10;
  setsockopt(client.fd(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  RawClient instance = Ask(client);
  const size_t huge = size_t{1} << 30;
  instance.Send(Head("HTTP/1.1 200 OK", huge));
  // Until nothing has gone for a while: all buffers on the way are full.
  size_t sent = 0;
  for (int stuck = 0; stuck < 20 && sent < huge;) {
    const ssize_t count = send(instance.fd(), BigBody().data(), BigBody().size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    pollfd writable{instance.fd(), POLLOUT, 0};
    if (count < 0) stuck = poll(&writable, 1, 10) == 0 ? stuck + 1 : 0;
    if (count > 0) sent += static_cast<size_t>(count);
  }
  EXPECT_LT(sent, size_t{64} << 20);
  client.ReadUntil("\r\n\r\n");
  EXPECT_EQ(client.ReadExactly(1 << 20).size(), size_t{1} << 20);
}

TEST_F(BigBodyTest, AnEarlyAnswerEndsTheUpload) {
  RawClient client(proxy.port());
  std::thread ask([&] {
    client.Send(Head("POST /big HTTP/1.1", size_t{1} << 40));
    while (client.Send(BigBody())) {
    }
  });
  RawClient instance = backend.Accept();
  instance.ReadUntil("\r\n\r\n");
  instance.ReadExactly(kBig);
  instance.Send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno");
  const std::string answer = client.ReadResponse();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 413 ")) << answer;
  EXPECT_TRUE(answer.ends_with("no")) << answer;
  instance.ReadAll();
  EXPECT_TRUE(instance.closed());
  ask.join();
}

TEST_F(BigBodyTest, AClientThatBreaksItsUploadOffIsNotAnswered) {
  RawClient client(proxy.port());
  client.Send(Head("POST /big HTTP/1.1", 2 * kBig));
  RawClient instance = backend.Accept();
  std::thread ask([&] {
    client.Send(BigBody());
    client.Close();
  });
  instance.ReadUntil("\r\n\r\n");
  EXPECT_TRUE(instance.ReadAll() == BigBody());
  EXPECT_TRUE(instance.closed());
  ask.join();
}

struct IdleBigBodyTest : BigBodyTest {
  IdleBigBodyTest() : BigBodyTest(IdleLimit()) {}
  ProxySetup IdleLimit() {
    ProxySetup setup;
    setup.clock = &clock;
    setup.revision.idle_timeout = kIdle;
    return setup;
  }

  static constexpr Nanos kIdle = Seconds(5);
  static inline SteppedClock clock;  // before the fixture's loop, and after it
};

TEST_F(IdleBigBodyTest, AnInstanceThatFallsSilentWithinItIsCut) {
  RawClient client(proxy.port());
  RawClient instance = Ask(client);
  instance.Send(Head("HTTP/1.1 200 OK", kBig));
  std::thread answer([&] { instance.Send(std::string_view(BigBody()).substr(0, kBig / 2)); });
  client.ReadUntil("\r\n\r\n");
  EXPECT_EQ(client.ReadExactly(kBig / 2).size(), kBig / 2);
  answer.join();
  EXPECT_EQ(InFlight(), 1u);
  clock.Advance(kIdle);
  EXPECT_EQ(client.ReadAll(), "");
  EXPECT_TRUE(client.closed());
  while (InFlight() > 0) {
  }
}

TEST_F(IdleBigBodyTest, OneThatSendsLittleAfterLittleIsNot) {
  RawClient client(proxy.port());
  RawClient instance = Ask(client);
  instance.Send(Head("HTTP/1.1 200 OK", kBig));
  client.ReadUntil("\r\n\r\n");
  for (size_t at = 0; at < 1000; at += 100) {
    instance.Send(std::string_view(BigBody()).substr(at, 100));
    EXPECT_EQ(client.ReadExactly(100), BigBody().substr(at, 100));
    EXPECT_EQ(InFlight(), 1u);  // what was sent has been counted: this came after it
    clock.Advance(kIdle / 2);
  }
  std::thread answer([&] { instance.Send(std::string_view(BigBody()).substr(1000)); });
  EXPECT_TRUE(client.ReadExactly(kBig - 1000) == BigBody().substr(1000));
  answer.join();
}

}  // namespace
}  // namespace updraft::activator
