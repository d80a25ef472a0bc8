// Bodies both ways, and how they are framed.
#include <gtest/gtest.h>

#include <string>

#include "tests/unit/activator/proxy/proxy_fixture.h"

namespace updraft::activator {
namespace {

using http::BodyOf;
using http::RawClient;

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

}  // namespace
}  // namespace updraft::activator
