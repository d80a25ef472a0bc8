#include "activator/proxy/proxy.h"

#include <gtest/gtest.h>

#include "tests/unit/activator/proxy/proxy_fixture.h"

namespace updraft::activator {
namespace {

using http::RawClient;
using testing::Test;

constexpr const char* kGet = "GET /x HTTP/1.1\r\nHost: app.test\r\n\r\n";
constexpr const char* kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

TEST(ProxyTest, CarriesRequestsOverOneConnection) {
  RawBackend backend;
  ProxyFixture proxy;
  proxy.SetPorts({backend.port()});
  RawClient client(proxy.port());
  client.Send(kGet);
  RawClient instance = backend.Accept();
  for (int i = 0; i < 3; ++i) {
    if (i > 0) client.Send(kGet);
    EXPECT_TRUE(instance.ReadUntil("\r\n\r\n").starts_with("GET /x HTTP/1.1\r\nHost: app.test\r\n"));
    instance.Send(kOk);
    EXPECT_EQ(http::BodyOf(client.ReadResponse()), "ok");
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
  EXPECT_EQ(http::BodyOf(text), "activator found no route: no service is known for host \"other.test\" (request abc)\n");
  client.Send("GET / HTTP/1.1\r\nHost: other.test\r\nAccept: application/json\r\nX-Request-Id: abc\r\n\r\n");
  const std::string json = client.ReadResponse();
  EXPECT_EQ(http::BodyOf(json),
            "{\"component\":\"activator\",\"status\":404,\"reason\":\"found no route\","
            "\"message\":\"no service is known for host \\\"other.test\\\"\",\"requestId\":\"abc\"}\n");
}

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

}  // namespace
}  // namespace updraft::activator
