// Requests as clients may send them, and what instances get of them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>

#include "tests/integration/http/memory.h"
#include "tests/integration/http/wire.h"
#include "tests/unit/core/http/test_server.h"

namespace updraft::activator {
namespace {

using namespace std::string_literals;

// Answers with the request's target.
http::Task<void> AnswerTarget(http::Exchange& exchange) {
  std::string target = exchange.request().target;
  (void)co_await exchange.Respond(200, http::Headers(), std::move(target));
}

// ---- targets

struct TargetCase {
  std::string name;
  std::string head;  // of the request, but for the empty line
  int status = 0;    // of the refusal; 0: passed on
  std::string line;  // as the instance gets it
};

// So that a failure names the case.
void PrintTo(const TargetCase& c, std::ostream* out) { *out << c.name; }

class TargetTest : public testing::TestWithParam<TargetCase> {};

TEST_P(TargetTest, IsRoutedByOrRefused) {
  const TargetCase& c = GetParam();
  Wire wire;
  if (c.status != 0) {
    wire.client().Send(c.head + "\r\n");
    EXPECT_TRUE(wire.client().ReadAll().starts_with("HTTP/1.1 " + std::to_string(c.status) + " "));
    EXPECT_FALSE(wire.backend().HasConnection());
    return;
  }
  std::string head;
  RawClient instance = wire.Take(c.head + "\r\n", &head);
  EXPECT_TRUE(head.starts_with(c.line + " HTTP/1.1\r\nHost: ")) << head;
  EXPECT_EQ(head.find("Host: "), head.rfind("\r\nHost: ") + 2) << head;
  instance.Send(kOk);
  EXPECT_EQ(BodyOf(wire.client().ReadResponse()), "ok");
}

INSTANTIATE_TEST_SUITE_P(
    Table, TargetTest,
    testing::ValuesIn(std::vector<TargetCase>{
        {"AbsoluteForm", "GET http://app.test/p?q HTTP/1.1\r\nHost: app.test\r\n", 0, "GET /p?q"},
        {"AbsoluteFormOfOldClient", "GET http://app.test/p HTTP/1.0\r\n", 0, "GET /p"},
        {"AbsoluteFormWithoutPath", "GET http://app.test?q HTTP/1.1\r\nHost: app.test\r\n", 0,
         "GET /?q"},
        {"AbsoluteFormInCapitals", "GET HTTP://APP.test/ HTTP/1.1\r\nHost: app.TEST\r\n", 0,
         "GET /"},
        {"AbsoluteFormElsewhere", "GET http://app.test/ HTTP/1.1\r\nHost: other.test\r\n", 400, ""},
        {"AbsoluteFormFromElsewhere", "GET http://other.test/ HTTP/1.1\r\nHost: app.test\r\n", 400,
         ""},
        {"Asterisk", "OPTIONS * HTTP/1.1\r\nHost: app.test\r\n", 0, "OPTIONS *"},
        {"AsteriskForGet", "GET * HTTP/1.1\r\nHost: app.test\r\n", 400, ""},
        {"Connect", "CONNECT app.test:443 HTTP/1.1\r\nHost: app.test:443\r\n", 405, ""},
        {"AuthorityForm", "GET app.test:80 HTTP/1.1\r\nHost: app.test:80\r\n", 400, ""},
        {"HostWithPort", "GET / HTTP/1.1\r\nHost: app.test:8080\r\n", 0, "GET /"},
        {"HostWithDot", "GET / HTTP/1.1\r\nHost: app.test.\r\n", 0, "GET /"},
        {"EncodedStaysEncoded", "GET /%2e%2e/a%2Fb//../c;d?%00 HTTP/1.1\r\nHost: app.test\r\n", 0,
         "GET /%2e%2e/a%2Fb//../c;d?%00"},
        {"EightKilobytes", "GET /" + std::string(8 << 10, 'a') + " HTTP/1.1\r\nHost: app.test\r\n",
         0, "GET /" + std::string(8 << 10, 'a')},
    }),
    [](const auto& test) { return test.param.name; });

// ---- fields

TEST(FieldsTest, WhatAClientDeclaresToBeAboutItsConnectionCannotTakeAwayWhatMatters) {
  Wire wire;
  std::string head;
  wire.Take(
      "POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 0\r\nX-Forwarded-For: "
      "1.2.3.4\r\nCookie: c\r\n"
      "Authorization: a\r\nX-Hop: gone\r\nKeep-Alive: 5\r\nTE: trailers\r\nProxy-Connection: x\r\n"
      "Connection: Host, Content-Length, X-Forwarded-For, Cookie, Authorization, X-Hop, "
      "close\r\n\r\n",
      &head);
  for (const char* kept : {"\r\nHost: app.test\r\n", "\r\nContent-Length: 0\r\n",
                           "\r\nX-Forwarded-For: 1.2.3.4, 127.0.0.1\r\n", "\r\nCookie: c\r\n",
                           "\r\nAuthorization: a\r\n"}) {
    EXPECT_TRUE(Has(head, kept)) << kept << head;
  }
  for (const char* gone : {"X-Hop", "Keep-Alive", "TE:", "Proxy-Connection", "\r\nConnection:"})
    EXPECT_FALSE(Has(head, gone)) << gone << head;
}

TEST(FieldsTest, AnUpgradeToHttp2InClearTextIsAnsweredAsHttp1) {
  Wire wire;
  std::string head;
  RawClient instance = wire.Take(
      "GET / HTTP/1.1\r\nHost: app.test\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
      "HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
      &head);
  EXPECT_FALSE(Has(head, "h2c") || Has(head, "HTTP2-Settings") || Has(head, "Upgrade")) << head;
  instance.Send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n");
  EXPECT_TRUE(wire.client().ReadResponse().starts_with("HTTP/1.1 502 "));
}

// ---- trailers

TEST(TrailersTest, ArePassedOnBehindTheBodyAndNeverAmongTheFields) {
  Wire wire;
  std::string head;
  RawClient instance = wire.Take(
      "POST / HTTP/1.1\r\nHost: app.test\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n",
      &head);
  EXPECT_FALSE(Has(head, "X-Sum: 1")) << head;
  EXPECT_EQ(instance.ReadUntil("\r\n\r\n"), "3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n");
  instance.Send(
      "HTTP/1.1 200 OK\r\nTrailer: X-Back\r\nTransfer-Encoding: "
      "chunked\r\n\r\n2\r\nok\r\n0\r\nX-Back: 2\r\n\r\n");
  EXPECT_FALSE(Has(wire.client().ReadUntil("\r\n\r\n"), "X-Back: 2"));
  EXPECT_EQ(wire.client().ReadUntil("\r\n\r\n"), "2\r\nok\r\n0\r\nX-Back: 2\r\n\r\n");
}

TEST(TrailersTest, ThatWouldChangeTheMessageAreRefused) {
  for (const char* trailer :
       {"Host: other.test", "Content-Length: 3", "Transfer-Encoding: chunked"}) {
    Wire wire;
    RawClient instance = wire.Take(
        "POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    instance.ReadUntil("abc\r\n");
    wire.client().Send("0\r\n"s + trailer + "\r\n\r\n" + kGet);
    EXPECT_TRUE(wire.client().ReadResponse().starts_with("HTTP/1.1 400 ")) << trailer;
    EXPECT_FALSE(Has(instance.ReadAll(), "0\r\n")) << trailer;  // the body never ends
  }
}

// ---- sizes

TEST(SizeTest, HeadsAreBoundedAndTakeNoMemoryWhileTheyStream) {
  http::TestServer backend(AnswerTarget);
  ActivatorFixture activator(2, 0);
  activator.SetPorts({backend.port()});
  const std::string pieces[] = {"a", "X-Bomb: " + std::string(100, 'b') + "\r\n"};
  for (const std::string& piece : pieces) {
    std::string flood;
    while (flood.size() < (1 << 20)) flood += piece;
    const std::string line = piece == "a" ? "GET /" : "GET / HTTP/1.1\r\nHost: app.test\r\n";
    const std::string all = line + flood;
    const auto ask = [&activator, &all, &piece] {
      size_t most = 0;
      RawClient client(activator.port());
      for (size_t at = 0; at < all.size() && client.Send(std::string_view(all).substr(at, 8 << 10)); at += 8 << 10)
        most = std::max(most, ResidentBytes());
      const std::string answer = client.ReadAll();
      EXPECT_TRUE(answer.starts_with(piece == "a" ? "HTTP/1.1 414 " : "HTTP/1.1 431 ")) << answer;
      return most;
    };
    ask();  // what the workers have from now on
    const size_t before = ResidentBytes();
    size_t most = 0;
    for (int i = 0; i < 20; ++i) most = std::max(most, ask());
    std::printf("while heads stream: %zu more bytes\n", most - std::min(most, before));
    if (kMemoryCounts) {
      EXPECT_LT(most, before + (512 << 10));
    }
  }
}

// ---- pipelining

TEST(PipeliningTest, AThousandRequestsInOneWriteAreAnsweredInTheirOrder) {
  http::TestServer backend(AnswerTarget);
  ActivatorFixture activator(2, 0);
  activator.SetPorts({backend.port()});
  RawClient client(activator.port());
  std::string requests;
  for (int i = 0; i < 1000; ++i)
    requests += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: app.test\r\n\r\n";
  client.Send(requests);
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(BodyOf(client.ReadResponse()), "/" + std::to_string(i));
}

TEST(PipeliningTest, AClientThatNeverReadsIsNotReadFrom) {
  http::TestServer backend(AnswerTarget);
  ActivatorFixture activator(2, 0);
  activator.SetPorts({backend.port()});
  RawClient client(activator.port());
  const timeval patience{0, 300'000};
  setsockopt(client.fd(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  const std::string request =
      "GET /" + std::string(8000, 'p') + " HTTP/1.1\r\nHost: app.test\r\n\r\n";
  client.Send(request);
  client.ReadResponse();
  const size_t before = ResidentBytes();
  size_t sent = 0;
  while (client.Send(request)) sent += request.size();
  EXPECT_LT(sent, size_t{64} << 20);  // what the kernel's buffers of four sockets hold
  if (kMemoryCounts) {
    EXPECT_LT(ResidentBytes(), before + (12 << 20));
  }
}

// ---- Expect

constexpr const char* kExpecting =
    "POST / HTTP/1.1\r\nHost: app.test\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";

TEST(ExpectTest, TheInstancesContinueIsPassedOn) {
  Wire wire;
  std::string head;
  RawClient instance = wire.Take(kExpecting, &head);
  EXPECT_TRUE(Has(head, "\r\nExpect: 100-continue\r\n")) << head;
  instance.Send("HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(wire.client().ReadUntil("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  wire.client().Send("hello"s + kGet);
  EXPECT_EQ(instance.ReadExactly(5), "hello");
  instance.Send(kOk);
  EXPECT_EQ(BodyOf(wire.client().ReadResponse()), "ok");
  EXPECT_TRUE(instance.ReadUntil("\r\n\r\n").starts_with("GET /x "));
}

TEST(ExpectTest, ARefusalEndsTheConnectionAndTheBodyIsNotRead) {
  for (const char* status : {"417 Expectation Failed", "401 Unauthorized"}) {
    Wire wire;
    RawClient instance = wire.Take(kExpecting);
    instance.Send("HTTP/1.1 "s + status + "\r\nContent-Length: 2\r\n\r\nno");
    const std::string answer = wire.client().ReadResponse();
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 "s + status)) << answer;
    EXPECT_TRUE(Has(answer, "\r\nConnection: close\r\n")) << answer;
    wire.client().Send("hello"s + kGet);
    wire.client().FinishWriting();
    EXPECT_EQ(wire.client().ReadAll(), "");
    EXPECT_EQ(instance.ReadAll(), "");
    EXPECT_FALSE(wire.backend().HasConnection());
  }
}

TEST(ExpectTest, NobodyIsToldToContinueBeforeThereIsAnInstance) {
  RawBackend backend;
  ActivatorFixture activator(2, 0);
  RawClient client(activator.port());
  client.Send(kExpecting);
  activator.events().WaitForDemand();
  pollfd readable{client.fd(), POLLIN, 0};
  EXPECT_EQ(poll(&readable, 1, 50), 0);
  client.Send("hello");  // a client need not wait for ever
  activator.SetPorts({backend.port()});
  RawClient instance = backend.Accept();
  instance.ReadUntil("\r\n\r\n");
  EXPECT_EQ(instance.ReadExactly(5), "hello");
  instance.Send(kOk);
  EXPECT_EQ(BodyOf(client.ReadResponse()), "ok");
}

TEST(ExpectTest, OfAnOldClientMeansNothing) {
  Wire wire;
  std::string head;
  RawClient instance = wire.Take(
      "POST / HTTP/1.0\r\nHost: app.test\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello",
      &head);
  EXPECT_FALSE(Has(head, "Expect")) << head;
  EXPECT_EQ(instance.ReadExactly(5), "hello");
  instance.Send(kOk);
  EXPECT_TRUE(wire.client().ReadAll().ends_with("ok"));
}

// ---- answers before the request is whole, and clients that have said all

TEST(EarlyAnswerTest, IsPassedOnTheUploadStopsAndTheConnectionEnds) {
  for (const char* body : {"Content-Length: 10000000\r\n\r\nsome",
                           "Transfer-Encoding: chunked\r\n\r\n4\r\nsome\r\n"}) {
    Wire wire;
    RawClient instance = wire.Take("POST / HTTP/1.1\r\nHost: app.test\r\n"s + body);
    instance.ReadUntil("some");
    instance.Send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig");
    const std::string answer = wire.client().ReadResponse();
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 413 ") && answer.ends_with("\r\n\r\nbig")) << answer;
    EXPECT_TRUE(Has(answer, "\r\nConnection: close\r\n")) << answer;
    instance.ReadAll();
    EXPECT_TRUE(instance.closed());
    // What still comes is no request.
    wire.client().Send(kGet);
    wire.client().FinishWriting();
    EXPECT_EQ(wire.client().ReadAll(), "");
    EXPECT_FALSE(wire.client().was_reset());
    EXPECT_FALSE(wire.backend().HasConnection());
  }
}

TEST(HalfCloseTest, AfterTheRequestTheAnswerStillComes) {
  Wire wire;
  RawClient instance = wire.Take(kGet);
  wire.client().FinishWriting();
  instance.Send(kOk);
  EXPECT_EQ(BodyOf(wire.client().ReadAll()), "ok");
}

TEST(HalfCloseTest, WithinTheBodyTheInstanceGetsNoWholeRequest) {
  for (const char* body :
       {"Content-Length: 10\r\n\r\npart", "Transfer-Encoding: chunked\r\n\r\n4\r\npart\r\n"}) {
    Wire wire;
    RawClient instance = wire.Take("POST / HTTP/1.1\r\nHost: app.test\r\n"s + body);
    instance.ReadUntil("part");
    wire.client().FinishWriting();
    EXPECT_FALSE(Has(instance.ReadAll(), "0\r\n\r\n"));
    wire.WaitUntilIdle();
  }
}

TEST(HalfCloseTest, WhileItWaitsTheClientCountsAsGone) {
  RawBackend backend;
  ActivatorFixture activator(2, 0);
  RawClient client(activator.port());
  client.Send(kGet);
  activator.events().WaitForDemand();
  client.FinishWriting();
  EXPECT_EQ(client.ReadAll(), "");
  EXPECT_TRUE(client.closed());
  activator.SetPorts({backend.port()});
  EXPECT_EQ(activator.Sum(&ProxyCounters::client_aborts), 1u);
  EXPECT_FALSE(backend.HasConnection());
}

}  // namespace
}  // namespace updraft::activator
