// Instances that answer wrongly, break off, close or say nothing: what the client gets, what is sent again, and which of
// them are left alone.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/unit/activator/proxy/proxy_fixture.h"

namespace updraft::activator {
namespace {

using http::BodyOf;
using http::RawClient;

struct BadResponse {
  std::string name;
  std::string bytes;
};

class BadResponseTest : public testing::TestWithParam<BadResponse> {};

TEST_P(BadResponseTest, BecomesA502) {
  const std::string all = Through(kGet, GetParam().bytes);
  EXPECT_TRUE(all.starts_with("HTTP/1.1 502 Bad Gateway\r\n")) << all;
  EXPECT_TRUE(BodyOf(all).starts_with("activator got no response: instance i-")) << all;
  EXPECT_EQ(all.find("secret"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadResponseTest,
    testing::ValuesIn(std::vector<BadResponse>{
        {"Nothing", ""},
        {"HalfAHead", "HTTP/1.1 200 OK\r\nContent-"},
        {"NotHttp", "SSH-2.0-OpenSSH\r\n\r\n"},
        {"TwoLengths", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nsecret"},
        {"LengthAndChunked",
         "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nsecret"},
        {"SwitchUnasked",
         "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nsecret"},
        {"BadFirstChunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nsecret"},
    }),
    [](const auto& test) { return test.param.name; });

TEST(ProxyTest, AResponseThatBreaksOffIsNeverMadeWhole) {
  EXPECT_EQ(BodyOf(Through(kGet, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort")), "short");
  EXPECT_EQ(
      BodyOf(Through(kGet, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n")),
      "5\r\nshort\r\n");
}

TEST(ProxyTest, WhatFollowsAResponseIsNobodysAnswer) {
  RawBackend backend;
  ProxyFixture proxy;
  proxy.SetPorts({backend.port()});
  RawClient client(proxy.port());
  client.Send(kGet);
  RawClient instance = backend.Accept();
  instance.ReadUntil("\r\n\r\n");
  instance.Send(std::string(kOk) + "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged");
  EXPECT_EQ(BodyOf(client.ReadResponse()), "ok");
  client.Send(kGet);
  RawClient fresh = backend.Accept();
  fresh.ReadUntil("\r\n\r\n");
  fresh.Send(kOk);
  EXPECT_EQ(BodyOf(client.ReadResponse()), "ok");
}

TEST(ProxyTest, WhatAnInstanceSaysUnaskedOnAnIdleConnectionIsNobodysAnswer) {
  RawBackend backend;
  ProxyFixture proxy;
  proxy.SetPorts({backend.port()});
  RawClient client(proxy.port());
  client.Send(kGet);
  RawClient instance = backend.Accept();
  instance.ReadUntil("\r\n\r\n");
  instance.Send(kOk);
  EXPECT_EQ(BodyOf(client.ReadResponse()), "ok");
  while (proxy.idle_upstreams() != 1) {
  }
  instance.Send("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n");
  instance.Close();
  while (proxy.idle_upstreams() != 0) {
  }
  client.Send(kGet);
  RawClient fresh = backend.Accept();
  fresh.ReadUntil("\r\n\r\n");
  fresh.Send(kOk);
  EXPECT_EQ(BodyOf(client.ReadResponse()), "ok");
}

// ---- sending again

// A connection that has carried a request and is closed on the next one, unanswered.
TEST(ProxyTest, RepeatsWhatIsSafeWhenAnIdleConnectionDies) {
  RawBackend backend;
  ProxyFixture proxy;
  proxy.SetPorts({backend.port()});
  RawClient client(proxy.port());
  client.Send(kGet);
  RawClient instance = backend.Accept();
  instance.ReadUntil("\r\n\r\n");
  instance.Send(kOk);
  client.ReadResponse();

  client.Send(kGet);
  instance.ReadUntil("\r\n\r\n");
  instance.Reset();
  RawClient second = backend.Accept();
  second.ReadUntil("\r\n\r\n");
  second.Send(kOk);
  EXPECT_EQ(BodyOf(client.ReadResponse()), "ok");
  EXPECT_EQ(proxy.proxy().counters().repeats.value(), 1u);

  client.Send("POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 2\r\n\r\nhi");
  second.ReadUntil("\r\n\r\nhi");
  second.Reset();
  EXPECT_TRUE(client.ReadResponse().starts_with("HTTP/1.1 502 "));
  EXPECT_FALSE(backend.HasConnection());
}

TEST(ProxyTest, AFreshConnectionThatDiesIsNotTriedAgain) {
  RawBackend backend;
  ProxyFixture proxy;
  proxy.SetPorts({backend.port()});
  RawClient client(proxy.port());
  client.Send(kGet);
  RawClient instance = backend.Accept();
  instance.ReadUntil("\r\n\r\n");
  instance.Reset();
  EXPECT_TRUE(client.ReadResponse().starts_with("HTTP/1.1 502 "));
  EXPECT_FALSE(backend.HasConnection());
}

TEST(ProxyTest, GoesToAnotherInstanceWhenOneCannotBeReached) {
  const uint16_t nobody = RawBackend().port();
  RawBackend backend;
  ProxySetup setup;
  setup.revision.container_concurrency = 4;
  ProxyFixture proxy(setup);
  proxy.SetPorts({nobody, backend.port()});
  for (int i = 0; i < 4; ++i) {
    RawClient client(proxy.port());
    client.Send("POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 2\r\n\r\nhi");
    RawClient instance = backend.Accept();
    instance.ReadUntil("\r\n\r\nhi");
    instance.Send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
    EXPECT_EQ(BodyOf(client.ReadResponse()), "ok");
  }
  EXPECT_EQ(proxy.events().ejected(), std::vector<std::string>{"i-" + std::to_string(nobody)});
}

// ---- leaving alone

// So many requests, one after the other, each answered with `status`. Which instances were ejected.
std::vector<std::string> EjectedAfter(ProxyFixture& proxy, int requests, int status) {
  for (int i = 0; i < requests; ++i) {
    RawClient client(proxy.port());
    client.Send(kGet);
    EXPECT_TRUE(client.ReadResponse().starts_with("HTTP/1.1 " + std::to_string(status)));
  }
  return proxy.events().ejected();
}

TEST(ProxyTest, AnInstanceThatTakesRequestsAndNeverAnswersIsLeftAlone) {
  RawBackend backend;  // accepts, and no more
  RawBackend other;
  ProxySetup setup;
  setup.revision.response_start_timeout = Millis(30);
  ProxyFixture proxy(setup);
  proxy.SetPorts({backend.port(), other.port()});
  EXPECT_EQ(EjectedAfter(proxy, 2, 504).size(), 0u);
  EXPECT_EQ(EjectedAfter(proxy, 3, 504).size(), 1u);
  EXPECT_EQ(EjectedAfter(proxy, 5, 504).size(), 1u) << "the last one stays";
  const TrafficTotals traffic = proxy.traffic();
  EXPECT_EQ(traffic.ejections, 1u);
  EXPECT_EQ(traffic.aborts[static_cast<size_t>(AbortCause::kTimeout)], 10u);
}

TEST(ProxyTest, AClientThatWithholdsItsBodyIsNotTheInstancesFault) {
  RawBackend backend;
  RawBackend other;
  ProxySetup setup;
  setup.revision.response_start_timeout = Millis(30);
  ProxyFixture proxy(setup);
  proxy.SetPorts({backend.port(), other.port()});
  for (int i = 0; i < 6; ++i) {
    RawClient client(proxy.port());
    client.Send("POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 10\r\n\r\nhalf");
    EXPECT_TRUE(client.ReadResponse().starts_with("HTTP/1.1 504 "));
  }
  EXPECT_TRUE(proxy.events().ejected().empty());
}

http::Task<void> CloseAtOnce(http::Exchange& exchange) {
  exchange.Abort();
  co_return;
}

TEST(ProxyTest, SoIsOneThatClosesWithoutAnswering) {
  http::TestServer backend(CloseAtOnce);
  http::TestServer other(CloseAtOnce);
  ProxyFixture proxy;
  proxy.SetPorts({backend.port(), other.port()});
  EXPECT_EQ(EjectedAfter(proxy, 2, 502).size(), 0u);
  EXPECT_EQ(EjectedAfter(proxy, 3, 502).size(), 1u);
  EXPECT_EQ(proxy.traffic().aborts[static_cast<size_t>(AbortCause::kInstance)], 5u);
}

}  // namespace
}  // namespace updraft::activator
