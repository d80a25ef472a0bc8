#include "activator/proxy/proxy.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <fstream>

#include "tests/unit/activator/proxy/proxy_fixture.h"

namespace updraft::activator {
namespace {

using http::BodyOf;
using http::RawClient;

constexpr const char* kGet = "GET /x HTTP/1.1\r\nHost: app.test\r\n\r\n";
constexpr const char* kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

// Everything that a client gets for `response`, the instance closing behind it.
std::string Through(const std::string& request, const std::string& response) {
  RawBackend backend;
  ProxyFixture proxy;
  proxy.SetPorts({backend.port()});
  RawClient client(proxy.port());
  client.Send(request);
  RawClient instance = backend.Accept();
  instance.ReadUntil("\r\n\r\n");
  instance.Send(response);
  instance.Close();
  client.FinishWriting();
  return client.ReadAll();
}

TEST(ProxyTest, CarriesRequestsOverOneConnection) {
  RawBackend backend;
  ProxyFixture proxy;
  proxy.SetPorts({backend.port()});
  RawClient client(proxy.port());
  client.Send(kGet);
  RawClient instance = backend.Accept();
  for (int i = 0; i < 3; ++i) {
    if (i > 0) client.Send(kGet);
    EXPECT_TRUE(
        instance.ReadUntil("\r\n\r\n").starts_with("GET /x HTTP/1.1\r\nHost: app.test\r\n"));
    instance.Send(kOk);
    EXPECT_EQ(BodyOf(client.ReadResponse()), "ok");
  }
  EXPECT_FALSE(backend.HasConnection());
  EXPECT_EQ(proxy.idle_upstreams(), 1u);
}

TEST(ProxyTest, NamesItselfWhenItKnowsNoRoute) {
  ProxyFixture proxy;
  RawClient client(proxy.port());
  client.Send("GET / HTTP/1.1\r\nHost: other.test\r\nX-Request-Id: abc\r\n\r\n");
  const std::string text = client.ReadResponse();
  EXPECT_TRUE(text.starts_with("HTTP/1.1 404 ")) << text;
  EXPECT_EQ(
      BodyOf(text),
      "activator found no route: no service is known for host \"other.test\" (request abc)\n");
  client.Send(
      "GET / HTTP/1.1\r\nHost: other.test\r\nAccept: application/json\r\nX-Request-Id: "
      "abc\r\n\r\n");
  EXPECT_EQ(
      BodyOf(client.ReadResponse()),
      "{\"component\":\"activator\",\"status\":404,\"reason\":\"found no route\","
      "\"message\":\"no service is known for host \\\"other.test\\\"\",\"requestId\":\"abc\"}\n");
  EXPECT_EQ(proxy.proxy().counters().unrouted.value(), 2u);
}

TEST(ProxyTest, ClusterLocalHostsAreThereForThoseInsideAlone) {
  ProxySetup setup;
  setup.hosts = {{"app.test", {{"default/app-1", 100}}, ""},
                 {.host = "app.default", .splits = {{"default/app-1", 100}}, .cluster_local = true}};
  RawBackend backend;
  ProxyFixture proxy(setup);
  proxy.SetPorts({backend.port()});
  const std::string get = "GET / HTTP/1.1\r\nHost: app.default\r\nX-Request-Id: abc\r\n\r\n";
  RawClient outside(proxy.port());
  outside.Send(get);
  const std::string text = outside.ReadResponse();
  EXPECT_TRUE(text.starts_with("HTTP/1.1 404 ")) << text;
  EXPECT_EQ(BodyOf(text), "activator found no route: no service is known for host \"app.default\" (request abc)\n");

  RawClient inside(proxy.inside_port());
  inside.Send(get);
  RawClient instance = backend.Accept();
  instance.ReadUntil("\r\n\r\n");
  instance.Send(kOk);
  EXPECT_EQ(BodyOf(inside.ReadResponse()), "ok");
  inside.Send(kGet);  // hosts for everybody are there as well
  instance.ReadUntil("\r\n\r\n");
  instance.Send(kOk);
  EXPECT_EQ(BodyOf(inside.ReadResponse()), "ok");
}

TEST(ProxyTest, TellsKnativesProbesThatTheyCameThrough) {
  ProxyFixture proxy;
  RawClient client(proxy.port());
  client.Send("GET / HTTP/1.1\r\nHost: any.test\r\nK-Network-Probe: activator\r\n\r\n");
  const std::string activator = client.ReadResponse();
  EXPECT_TRUE(activator.starts_with("HTTP/1.1 200 ")) << activator;
  EXPECT_EQ(BodyOf(activator), "activator");
  client.Send(
      "GET / HTTP/1.1\r\nHost: app.test\r\nK-Network-Probe: probe\r\nK-Network-Hash: h1\r\n\r\n");
  const std::string echo = client.ReadResponse();
  EXPECT_TRUE(echo.starts_with("HTTP/1.1 200 ")) << echo;
  EXPECT_NE(echo.find("K-Network-Hash: h1\r\n"), std::string::npos) << echo;
  for (const char* bad : {"probe", "queue"}) {
    client.Send(std::string("GET / HTTP/1.1\r\nHost: app.test\r\nK-Network-Probe: ") + bad +
                "\r\n\r\n");
    EXPECT_TRUE(client.ReadResponse().starts_with("HTTP/1.1 400 ")) << bad;
  }
  EXPECT_EQ(proxy.proxy().counters().unrouted.value(), 0u);
}

// What the instance is told of the tag by which the request for `host` with these fields was
// routed.
std::string ToldOfTag(const std::string& host, const std::string& fields) {
  RawBackend backend;
  ProxySetup setup;
  setup.hosts = {{"app.test", {{"default/app-1", 100}}, ""},
                 {"blue-app.test", {{"default/app-1", 100}}, "blue"}};
  ProxyFixture proxy(setup);
  proxy.SetPorts({backend.port()});
  RawClient client(proxy.port());
  client.Send("GET / HTTP/1.1\r\nHost: " + host + "\r\n" + fields + "\r\n");
  RawClient instance = backend.Accept();
  const std::string head = instance.ReadUntil("\r\n\r\n");
  instance.Send(kOk);
  client.ReadResponse();
  const size_t at = head.find("Knative-Serving-");
  return at == std::string::npos ? "" : head.substr(at, head.size() - at - 4);
}

TEST(ProxyTest, TheInstanceLearnsByWhichTagItWasReached) {
  EXPECT_EQ(ToldOfTag("app.test", ""), "Knative-Serving-Default-Route: true");
  EXPECT_EQ(ToldOfTag("app.test", "Knative-Serving-Tag: blue\r\n"), "Knative-Serving-Tag: blue");
  EXPECT_EQ(ToldOfTag("blue-app.test", ""), "Knative-Serving-Tag: blue");
  EXPECT_EQ(ToldOfTag("app.test", "Knative-Serving-Tag: none\r\n"),
            "Knative-Serving-Default-Route: true");
  EXPECT_EQ(ToldOfTag("app.test", "Knative-Serving-Default-Route: forged\r\n"),
            "Knative-Serving-Default-Route: true");
}

TEST(ProxyTest, AGrpcCallIsAnsweredInItsOwnWords) {
  ProxyFixture proxy;
  RawClient client(proxy.port());
  client.Send(
      "POST /a.B/C HTTP/1.1\r\nHost: other.test\r\nContent-Type: application/grpc+proto\r\n"
      "Content-Length: 0\r\nX-Request-Id: abc\r\n\r\n");
  const std::string answer = client.ReadResponse();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 ")) << answer;
  EXPECT_NE(answer.find("Grpc-Status: 12\r\n"), std::string::npos) << answer;
  EXPECT_NE(answer.find("Content-Type: application/grpc\r\n"), std::string::npos) << answer;
  EXPECT_EQ(BodyOf(answer), "");
}

// ---- bodies

TEST(ProxyTest, SendsABodyWithItsHeadAndFramesItAnew) {
  RawBackend backend;
  ProxyFixture proxy;
  proxy.SetPorts({backend.port()});
  RawClient client(proxy.port());
  client.Send("POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 5\r\n\r\nhello");
  RawClient instance = backend.Accept();
  EXPECT_NE(instance.ReadUntil("\r\n\r\n").find("Content-Length: 5\r\n"), std::string::npos);
  EXPECT_EQ(instance.ReadExactly(5), "hello");
  instance.Send(kOk);
  EXPECT_EQ(BodyOf(client.ReadResponse()), "ok");

  client.Send(
      "POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: "
      "chunked\r\n\r\n2;x=1\r\nhe\r\n3\r\nllo\r\n");
  EXPECT_NE(instance.ReadUntil("\r\n\r\n").find("Transfer-Encoding: chunked\r\n"),
            std::string::npos);
  EXPECT_EQ(instance.ReadUntil("hello\r\n"), "5\r\nhello\r\n");
  client.Send("0\r\nX-Sum: 1\r\n\r\n");
  EXPECT_EQ(instance.ReadUntil("\r\n\r\n"), "0\r\nX-Sum: 1\r\n\r\n");
  instance.Send(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Back: 2\r\n\r\n");
  EXPECT_EQ(BodyOf(client.ReadUntil("X-Back: 2\r\n\r\n")), "3\r\nabc\r\n0\r\nX-Back: 2\r\n\r\n");
}

TEST(ProxyTest, DechunksForOldClients) {
  const std::string all = Through(
      "GET / HTTP/1.0\r\nHost: app.test\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  EXPECT_EQ(BodyOf(all), "abcde");
  EXPECT_EQ(all.find("chunked"), std::string::npos) << all;
}

TEST(ProxyTest, ABodyThatEndsWithTheConnectionIsFramedForTheClient) {
  const std::string all = Through(kGet, "HTTP/1.0 200 OK\r\n\r\nuntil the end");
  EXPECT_EQ(BodyOf(all), "d\r\nuntil the end\r\n0\r\n\r\n");
}

TEST(ProxyTest, ResponsesWithoutABodyAreFollowedByTheNext) {
  for (const char* status :
       {"204 No Content\r\n", "304 Not Modified\r\nContent-Length: 1000\r\n"}) {
    RawBackend backend;
    ProxyFixture proxy;
    proxy.SetPorts({backend.port()});
    RawClient client(proxy.port());
    client.Send(std::string(kGet) + kGet);
    RawClient instance = backend.Accept();
    instance.ReadUntil("\r\n\r\n");
    instance.Send(std::string("HTTP/1.1 ") + status + "\r\n");
    EXPECT_TRUE(client.ReadUntil("\r\n\r\n").starts_with(std::string("HTTP/1.1 ") + status));
    instance.ReadUntil("\r\n\r\n");
    instance.Send(kOk);
    EXPECT_EQ(BodyOf(client.ReadResponse()), "ok");
  }
}

TEST(ProxyTest, AnswersToHeadHaveNoBody) {
  RawBackend backend;
  ProxyFixture proxy;
  proxy.SetPorts({backend.port()});
  RawClient client(proxy.port());
  client.Send("HEAD / HTTP/1.1\r\nHost: app.test\r\n\r\n");
  RawClient instance = backend.Accept();
  instance.ReadUntil("\r\n\r\n");
  instance.Send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
  EXPECT_NE(client.ReadUntil("\r\n\r\n").find("Content-Length: 1000\r\n"), std::string::npos);
  EXPECT_EQ(proxy.idle_upstreams(), 1u);
}

TEST(ProxyTest, AHeadThatWaitsForItsBodyGoesAtOnce) {
  RawBackend backend;
  ProxyFixture proxy;
  proxy.SetPorts({backend.port()});
  RawClient client(proxy.port());
  client.Send(kGet);
  RawClient instance = backend.Accept();
  instance.ReadUntil("\r\n\r\n");
  instance.Send(
      "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_TRUE(client.ReadUntil("\r\n\r\n").starts_with("HTTP/1.1 200 "));
  for (int i = 0; i < 3; ++i) {
    instance.Send("6\r\ndata\n\n\r\n");
    EXPECT_EQ(client.ReadUntil("\n\n\r\n"), "6\r\ndata\n\n\r\n");
  }
}

TEST(ProxyTest, PassesInterimResponsesOnButNotToOldClients) {
  const std::string response = std::string("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n") + kOk;
  EXPECT_TRUE(
      Through(kGet, response)
          .starts_with("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\n"));
  EXPECT_TRUE(Through("GET / HTTP/1.0\r\nHost: app.test\r\n\r\n", response)
                  .starts_with("HTTP/1.1 200 OK\r\n"));
  std::string flood;
  for (int i = 0; i < 100; ++i) flood += "HTTP/1.1 103 Early Hints\r\n\r\n";
  EXPECT_NE(Through(kGet, flood + kOk).find("HTTP/1.1 502 "), std::string::npos);
}

TEST(ProxyTest, TheInstanceDecidesWhetherABodyIsWanted) {
  RawBackend backend;
  ProxyFixture proxy;
  proxy.SetPorts({backend.port()});
  RawClient client(proxy.port());
  client.Send(
      "POST / HTTP/1.1\r\nHost: app.test\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  RawClient instance = backend.Accept();
  EXPECT_NE(instance.ReadUntil("\r\n\r\n").find("Expect: 100-continue\r\n"), std::string::npos);
  instance.Send("HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(client.ReadUntil("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.Send("hello");
  EXPECT_EQ(instance.ReadExactly(5), "hello");
  instance.Send(kOk);
  EXPECT_EQ(BodyOf(client.ReadResponse()), "ok");

  client.Send(
      "POST / HTTP/1.1\r\nHost: app.test\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  instance.ReadUntil("\r\n\r\n");
  instance.Send("HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n");
  const std::string refused = client.ReadAll();
  EXPECT_TRUE(refused.starts_with("HTTP/1.1 417 ")) << refused;
  EXPECT_TRUE(instance.ReadAll().empty());
}

TEST(ProxyTest, AnEarlyAnswerEndsTheUpload) {
  RawBackend backend;
  ProxyFixture proxy;
  proxy.SetPorts({backend.port()});
  RawClient client(proxy.port());
  client.Send("POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 1000000\r\n\r\nsome");
  RawClient instance = backend.Accept();
  instance.ReadUntil("\r\n\r\nsome");
  instance.Send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig");
  client.FinishWriting();
  const std::string all = client.ReadAll();
  EXPECT_TRUE(all.starts_with("HTTP/1.1 413 ")) << all;
  EXPECT_TRUE(all.ends_with("\r\n\r\nbig")) << all;
  EXPECT_NE(all.find("Connection: close\r\n"), std::string::npos);
  EXPECT_EQ(proxy.idle_upstreams(), 0u);
}

// ---- instances that fail

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

// ---- what is counted

TEST(ProxyTest, CountsTheBytesOfBodiesBothWaysAndTheWaits) {
  RawBackend backend;
  ProxyFixture proxy;
  RawClient client(proxy.port());
  client.Send("POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 5\r\n\r\nhe");
  proxy.events().WaitForDemand();
  proxy.SetPorts({backend.port()});
  RawClient instance = backend.Accept();
  instance.ReadUntil("\r\n\r\nhe");
  client.Send("llo");
  instance.ReadUntil("llo");
  instance.Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
  EXPECT_EQ(BodyOf(client.ReadResponse()), "abc");
  const TrafficTotals traffic = proxy.traffic();
  EXPECT_EQ(traffic.bytes_in, 5u);
  EXPECT_EQ(traffic.bytes_out, 3u);
  EXPECT_EQ(traffic.waits.count(), 1u);
  EXPECT_EQ(traffic.retries, 0u);
  for (const uint64_t aborts : traffic.aborts) EXPECT_EQ(aborts, 0u);
}

TEST(ProxyTest, CountsWhyRequestsDidNotEndWell) {
  RawBackend backend;
  ProxyFixture proxy;
  proxy.SetPorts({backend.port()});
  RawClient client(proxy.port());
  client.Send(kGet);
  RawClient confused = backend.Accept();
  confused.ReadUntil("\r\n\r\n");
  confused.Send("SSH-2.0-OpenSSH\r\n\r\n");
  EXPECT_TRUE(client.ReadResponse().starts_with("HTTP/1.1 502 "));
  client.Send(kGet);
  RawClient instance = backend.Accept();
  instance.ReadUntil("\r\n\r\n");
  client.Reset();
  EXPECT_EQ(instance.ReadAll(), "");
  while (proxy.connections() > 0) {
  }
  const TrafficTotals traffic = proxy.traffic();
  EXPECT_EQ(traffic.aborts[static_cast<size_t>(AbortCause::kProtocol)], 1u);
  EXPECT_EQ(traffic.aborts[static_cast<size_t>(AbortCause::kClient)], 1u);
}

// Every request that is counted as one has an end that is counted, and the other way round.
TEST(ProxyTest, AClientThatIsGoneBeforeItsRequestIsReadCountsNowhere) {
  ProxyFixture proxy;
  RawClient client(proxy.port());
  client.Send("GET / HTTP/1.1\r\nHost: nobody.test\r\n\r\n");
  client.ReadResponse();
  std::promise<void> go_on;
  proxy.loop().Post([&go_on] { go_on.get_future().wait(); });
  client.Send(kGet);
  client.Reset();
  go_on.set_value();
  while (proxy.connections() > 0) {
  }
  http::RunOn(proxy.loop(), [&proxy] {
    uint64_t ended = 0;
    for (const DurationTotals& totals : proxy.revision().ReadResponses().classes) ended += totals.count();
    EXPECT_EQ(proxy.revision().ReadLoad(RealClock()).arrivals, ended);
  });
}

TEST(ProxyTest, LogsEveryRequestThatIsNoProbe) {
  const std::string path = testing::TempDir() + "updraft-proxy-access.log";
  unlink(path.c_str());
  {
    ProxySetup setup;
    setup.access_log = *AccessLog::Open(
        {.path = path,
         .format = std::make_shared<const LogTemplate>(
             *LogTemplate::Parse("{{.Request.URL}} {{.Response.Code}} {{.Response.Size}} "
                                 "{{.Revision.Name}} {{.Revision.PodName}} {{.RequestID}}"))});
    RawBackend backend;
    ProxyFixture proxy(setup);
    proxy.SetPorts({backend.port()});
    RawClient client(proxy.port());
    client.Send("GET /a HTTP/1.1\r\nHost: app.test\r\nX-Request-Id: r1\r\n\r\n");
    RawClient instance = backend.Accept();
    instance.ReadUntil("\r\n\r\n");
    instance.Send(kOk);
    client.ReadResponse();
    client.Send("GET /b HTTP/1.1\r\nHost: other.test\r\nX-Request-Id: r2\r\n\r\n");
    client.ReadResponse();
    client.Send("GET /p HTTP/1.1\r\nHost: app.test\r\nK-Network-Probe: activator\r\n\r\n");
    client.ReadResponse();
    EXPECT_EQ(setup.access_log->written(), 2u);
    setup.access_log.reset();
  }
  std::ifstream file(path);
  std::string first;
  std::string second;
  std::getline(file, first);
  std::getline(file, second);
  EXPECT_TRUE(first.starts_with("/a 200 2 app-1 i-") && first.ends_with(" r1")) << first;
  EXPECT_TRUE(second.starts_with("/b 404 ") && second.ends_with("   r2")) << second;
  EXPECT_FALSE(std::getline(file, first));
}

TEST(UpstreamWaitTest, WhatCameForOneThatIsGoneIsTheNextOnes) {
  Loop loop;
  UpstreamPool pool(loop, {});
  auto first = std::make_unique<UpstreamWait>(pool, "i");
  auto second = std::make_unique<UpstreamWait>(pool, "i");
  UpstreamWait third(pool, "i");
  pool.Closed("i");
  EXPECT_FALSE(first->pending());
  EXPECT_TRUE(second->pending());
  first.reset();
  EXPECT_FALSE(second->pending());
  second->Use();
  second.reset();
  EXPECT_TRUE(third.pending());

  auto fourth = std::make_unique<UpstreamWait>(pool, "i");
  int sockets[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), 0);
  const UniqueFd other(sockets[1]);
  third.GiveUp();
  pool.Give("i", std::make_unique<UpstreamConnection>(loop, UniqueFd(sockets[0])));
  EXPECT_FALSE(fourth->pending());
  UpstreamWait fifth(pool, "i");
  fourth.reset();
  EXPECT_FALSE(fifth.pending());
  EXPECT_NE(fifth.TakeConnection(), nullptr);
}

// ---- holding requests

TEST(ProxyTest, HoldsARequestUntilThereIsAnInstanceAndTellsThePhases) {
  RawBackend backend;
  ProxyFixture proxy;
  RawClient client(proxy.port());
  client.Send("GET / HTTP/1.1\r\nHost: app.test\r\nUpdraft-Timing: 1\r\n\r\n");
  proxy.events().WaitForDemand();
  const int64_t now = UnixNanos(RealClock().Wall());
  proxy.SetPorts({backend.port()}, {.queued_ns = now - 5'000'000, .decided_ns = now - 4'000'000});
  RawClient instance = backend.Accept();
  instance.ReadUntil("\r\n\r\n");
  instance.Send(kOk);
  const std::string response = client.ReadResponse();
  EXPECT_NE(response.find("Server-Timing: decided;dur=1.000, "), std::string::npos) << response;
  EXPECT_NE(response.find("first_byte;dur="), std::string::npos) << response;
}

TEST(ProxyTest, AClientThatGoesAwayWhileItWaitsIsForgotten) {
  RawBackend backend;
  ProxyFixture proxy;
  auto gone = std::make_unique<RawClient>(proxy.port());
  gone->Send("GET /gone HTTP/1.1\r\nHost: app.test\r\n\r\n");
  proxy.events().WaitForDemand();
  gone.reset();
  while (proxy.connections() > 0) {
  }
  proxy.SetPorts({backend.port()});
  RawClient client(proxy.port());
  client.Send(kGet);
  RawClient instance = backend.Accept();
  EXPECT_TRUE(instance.ReadUntil("\r\n\r\n").starts_with("GET /x "));
  instance.Send(kOk);
  EXPECT_EQ(BodyOf(client.ReadResponse()), "ok");
  EXPECT_FALSE(backend.HasConnection());
  EXPECT_EQ(proxy.proxy().counters().client_aborts.value(), 1u);
}

TEST(ProxyTest, ASlotOfAClientThatIsLostGoesToTheNext) {
  RawBackend backend;
  ProxySetup setup;
  setup.revision.container_concurrency = 1;
  ProxyFixture proxy(setup);
  proxy.SetPorts({backend.port()});
  RawClient lost(proxy.port());
  lost.Send(kGet);
  RawClient first = backend.Accept();
  first.ReadUntil("\r\n\r\n");
  RawClient next(proxy.port());
  next.Send("GET /next HTTP/1.1\r\nHost: app.test\r\n\r\n");
  lost.Reset();
  EXPECT_EQ(first.ReadAll(), "");  // told that nobody waits
  RawClient second = backend.Accept();
  EXPECT_TRUE(second.ReadUntil("\r\n\r\n").starts_with("GET /next "));
  second.Send(kOk);
  EXPECT_EQ(BodyOf(next.ReadResponse()), "ok");
}

TEST(ProxyTest, AHalfClosedClientGetsItsAnswer) {
  EXPECT_EQ(BodyOf(Through(kGet, kOk)), "ok");  // Through() closes the client's side first
}

TEST(ProxyTest, AnswersAtOnceWhenTheQueueIsFull) {
  ProxySetup setup;
  setup.limits.queue_length_max = 1;
  ProxyFixture proxy(setup);
  RawClient held(proxy.port());
  held.Send(kGet);
  proxy.events().WaitForDemand();
  RawClient refused(proxy.port());
  refused.Send(kGet);
  const std::string response = refused.ReadResponse();
  EXPECT_TRUE(response.starts_with("HTTP/1.1 503 ")) << response;
  EXPECT_NE(response.find("Retry-After: 1\r\n"), std::string::npos);
  EXPECT_TRUE(BodyOf(response).starts_with("activator queue is full: ")) << response;
}

TEST(ProxyTest, ARevisionThatCannotServeSaysWhy) {
  ProxySetup setup;
  setup.revision.failure = RevisionFailure{"ErrImagePull", "no such image"};
  ProxyFixture proxy(setup);
  RawClient client(proxy.port());
  client.Send(kGet);
  const std::string response = client.ReadResponse();
  EXPECT_TRUE(response.starts_with("HTTP/1.1 503 ")) << response;
  EXPECT_NE(BodyOf(response).find("ErrImagePull: no such image"), std::string::npos) << response;
}

// ---- timeouts

ProxySetup WithTimeouts(Nanos total, Nanos response_start, Nanos idle) {
  ProxySetup setup;
  setup.revision.timeout = total;
  setup.revision.response_start_timeout = response_start;
  setup.revision.idle_timeout = idle;
  return setup;
}

TEST(ProxyTest, TheTimeInTheQueueCounts) {
  ProxyFixture proxy(WithTimeouts(Millis(50), Nanos(0), Nanos(0)));
  RawClient client(proxy.port());
  client.Send(kGet);
  const std::string response = client.ReadResponse();
  EXPECT_TRUE(response.starts_with("HTTP/1.1 504 Gateway Timeout\r\n")) << response;
  EXPECT_TRUE(BodyOf(response).starts_with(
      "activator request timeout: the request did not end within 0.050 s"))
      << response;
}

TEST(ProxyTest, AResponseMustBeginInTime) {
  RawBackend backend;
  ProxyFixture proxy(WithTimeouts(Seconds(60), Millis(50), Nanos(0)));
  proxy.SetPorts({backend.port()});
  RawClient client(proxy.port());
  client.Send(kGet);
  RawClient instance = backend.Accept();
  const std::string response = client.ReadResponse();
  EXPECT_TRUE(response.starts_with("HTTP/1.1 504 ")) << response;
  EXPECT_NE(response.find("responseStartTimeoutSeconds"), std::string::npos);
  instance.ReadUntil("\r\n\r\n");
  EXPECT_EQ(instance.ReadAll(), "");  // and the instance is told
  EXPECT_EQ(proxy.proxy().counters().timeouts.value(), 1u);
  client.Send("GET / HTTP/1.1\r\nHost: other.test\r\n\r\n");
  EXPECT_TRUE(client.ReadResponse().starts_with("HTTP/1.1 404 "));  // the connection lives on
}

TEST(ProxyTest, AStreamThatIsTooLongEndsCleanlyWithTheReason) {
  RawBackend backend;
  ProxyFixture proxy(WithTimeouts(Millis(80), Nanos(0), Nanos(0)));
  proxy.SetPorts({backend.port()});
  RawClient client(proxy.port());
  client.Send(kGet);
  RawClient instance = backend.Accept();
  instance.ReadUntil("\r\n\r\n");
  instance.Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
  EXPECT_TRUE(client.ReadUntil("\r\n\r\n").starts_with("HTTP/1.1 200 "));
  const std::string body = client.ReadUntil("0\r\n\r\n");
  EXPECT_TRUE(body.starts_with("3\r\nabc\r\n")) << body;
  EXPECT_NE(body.find("activator request timeout: "), std::string::npos) << body;
  EXPECT_TRUE(body.ends_with("\r\n0\r\n\r\n")) << body;
}

TEST(ProxyTest, AStreamOfStatedLengthIsCutWhenItIsTooLong) {
  RawBackend backend;
  ProxyFixture proxy(WithTimeouts(Millis(80), Nanos(0), Nanos(0)));
  proxy.SetPorts({backend.port()});
  RawClient client(proxy.port());
  client.Send(kGet);
  RawClient instance = backend.Accept();
  instance.ReadUntil("\r\n\r\n");
  instance.Send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc");
  EXPECT_EQ(BodyOf(client.ReadAll()), "abc");
}

TEST(ProxyTest, ASilentStreamIsIdleAndATalkingOneIsNot) {
  RawBackend backend;
  ProxyFixture proxy(WithTimeouts(Seconds(60), Nanos(0), Millis(100)));
  proxy.SetPorts({backend.port()});
  RawClient client(proxy.port());
  client.Send(kGet);
  RawClient instance = backend.Accept();
  instance.ReadUntil("\r\n\r\n");
  instance.Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  Loop pace;
  for (int i = 1; i <= 6; ++i) {
    pace.After(Millis(40 * i), [&instance] { instance.Send("1\r\n.\r\n"); });
  }
  pace.After(Millis(245), [&pace] { pace.Stop(); });
  pace.Run();
  const std::string body = BodyOf(client.ReadUntil("0\r\n\r\n"));
  EXPECT_TRUE(body.starts_with("1\r\n.\r\n1\r\n.\r\n1\r\n.\r\n1\r\n.\r\n1\r\n.\r\n1\r\n.\r\n"))
      << body;
  EXPECT_NE(body.find("idleTimeoutSeconds"), std::string::npos) << body;
}

}  // namespace
}  // namespace updraft::activator
