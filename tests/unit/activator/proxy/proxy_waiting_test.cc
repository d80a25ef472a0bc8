// Requests that are held until there is a place for them, and how long they and their responses may take.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/unit/activator/proxy/proxy_fixture.h"

namespace updraft::activator {
namespace {

using http::BodyOf;
using http::RawClient;

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
