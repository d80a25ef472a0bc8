// What is counted of requests, and logged.
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <future>
#include <memory>
#include <string>

#include "tests/unit/activator/proxy/proxy_fixture.h"

namespace updraft::activator {
namespace {

using http::BodyOf;
using http::RawClient;

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

}  // namespace
}  // namespace updraft::activator
