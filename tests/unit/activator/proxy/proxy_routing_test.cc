// By host, tag and entrance to a revision's instances; what is answered when there is no way, and to probes.
#include <gtest/gtest.h>

#include <string>

#include "tests/unit/activator/proxy/proxy_fixture.h"

namespace updraft::activator {
namespace {

using http::BodyOf;
using http::RawClient;

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

}  // namespace
}  // namespace updraft::activator
