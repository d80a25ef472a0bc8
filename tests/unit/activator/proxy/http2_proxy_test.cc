// Requests of HTTP/2 clients, and to instances that speak it, end to end.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "core/http/sync.h"
#include "tests/unit/activator/proxy/proxy_fixture.h"
#include "tests/unit/core/http/http2_asker.h"
#include "tests/unit/core/http/raw_http2.h"

namespace updraft::activator {
namespace {

using http::Answered;
using http::Asked;
using http::Exchange;
using http::Headers;
using http::Http2Asker;
using http::Task;
using http::TestServer;
using testing::HasSubstr;

ProxySetup Http2Instances() {
  ProxySetup setup;
  setup.revision.protocol = Protocol::kH2c;
  return setup;
}

Task<void> Echo(Exchange& exchange) {
  Result<std::string> body = co_await exchange.ReadBody(64 << 20);
  std::string text = exchange.request().method + " " + exchange.request().target + "\n";
  for (const http::NamedHeader header : exchange.request().headers)
    text.append(header.name).append("=").append(header.value).append("\n");
  text += body ? *body : body.error().message;
  http::ResponseHead head;
  head.headers = {{"Content-Type", "application/grpc"}};
  const http::Part first{&head, text, false, nullptr};
  (void)co_await exchange.Send(first);
  const Headers trailers{{"grpc-status", "0"}};
  const http::Part last{nullptr, {}, true, &trailers};
  (void)co_await exchange.Send(last);
}

TEST(Http2ProxyTest, FromHttp2ToHttp1) {
  TestServer instance(Echo);
  ProxyFixture proxy;
  proxy.SetPorts({instance.port()});
  Http2Asker client(proxy.loop(), proxy.port());
  const Answered answered = client.Ask({"POST", "/p", {{"te", "trailers"}}, {"con", "tent"}});
  EXPECT_EQ(answered.status, 200) << answered.error;
  EXPECT_THAT(answered.body, HasSubstr("POST /p\nHost=app.test\n"));
  EXPECT_THAT(answered.body, HasSubstr("Transfer-Encoding=chunked\n"));
  EXPECT_THAT(answered.body, testing::EndsWith("content"));
  EXPECT_EQ(answered.trailers.Get("grpc-status"), "0");
}

TEST(Http2ProxyTest, FromHttp2ToHttp2) {
  TestServer instance(Echo, {.http2_streams_max = 1000});
  ProxyFixture proxy(Http2Instances());
  proxy.SetPorts({instance.port()});
  Http2Asker client(proxy.loop(), proxy.port());
  const Answered answered = client.Ask({"POST", "/p", {{"te", "trailers"}}, {"con", "tent"}});
  EXPECT_EQ(answered.status, 200) << answered.error;
  EXPECT_THAT(answered.body, HasSubstr("te=trailers\n"));
  EXPECT_THAT(answered.body, testing::EndsWith("content"));
  EXPECT_EQ(answered.trailers.Get("grpc-status"), "0");

  const std::vector<Asked> many(250, {"POST", "/", {}, {std::string(100'000, 'x')}});
  for (const Answered& one : client.AskAll(many)) EXPECT_EQ(one.trailers.Get("grpc-status"), "0") << one.error;
  EXPECT_LE(proxy.proxy().counters().connects.value(), 4u);
}

TEST(Http2ProxyTest, FromHttp1ToHttp2) {
  TestServer instance(Echo);
  ProxyFixture proxy(Http2Instances());
  proxy.SetPorts({instance.port()});
  http::RawClient client(proxy.port());
  client.Send("POST /p HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\nContent-Length: 7\r\n\r\ncontent");
  const std::string response = client.ReadAll();
  EXPECT_THAT(response, HasSubstr("HTTP/1.1 200 OK"));
  EXPECT_THAT(response, HasSubstr("POST /p\n"));
  EXPECT_THAT(response, HasSubstr("\r\n0\r\ngrpc-status: 0\r\n\r\n"));
}

TEST(Http2ProxyTest, AnInstanceThatRefusesConnectionsIsLeftForAnother) {
  TestServer instance(Echo);
  uint16_t refusing = 0;
  {
    const RawBackend gone;
    refusing = gone.port();
  }
  ProxyFixture proxy(Http2Instances());
  proxy.SetPorts({refusing, instance.port()});
  Http2Asker client(proxy.loop(), proxy.port());
  for (int i = 0; i < 8; ++i) EXPECT_EQ(client.Ask(Asked{}).status, 200);
}

TEST(Http2ProxyTest, ARequestThatADrainingInstanceRefusesIsSentAgain) {
  std::optional<TestServer> instance(std::in_place, Echo);
  ProxyFixture proxy(Http2Instances());
  proxy.SetPorts({instance->port()});
  Http2Asker client(proxy.loop(), proxy.port());
  EXPECT_EQ(client.Ask(Asked{}).status, 200);
  // It closes the connection that the activator keeps; the next request opens another.
  std::promise<void> drained;
  TestServer other(Echo);
  http::RunOn(instance->loop(), [&] {
    instance->server().Drain(instance->loop().Now() + Seconds(20), [&drained] { drained.set_value(); });
  });
  drained.get_future().wait();
  proxy.SetPorts({other.port()});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(client.Ask({"POST", "/", {}, {"body"}}).status, 200);
}

// Waits until its client has gone.
struct Patience {
  std::promise<void> waiting;
  std::promise<void> gone;

  static Task<void> Wait(Patience& patience, Exchange& exchange) {
    http::Signal left(exchange.loop());
    exchange.OnClientGone([&left] { left.Notify(); });
    patience.waiting.set_value();
    co_await left.Wait();
    patience.gone.set_value();
  }
};

Task<void> SendOnly(http::Http2ClientExchange& exchange) {
  const Asked asked;
  (void)co_await http::SendAll(exchange, asked);
}

TEST(Http2ProxyTest, ACancelledRequestIsCancelledAtTheInstance) {
  for (const Protocol protocol : {Protocol::kHttp1, Protocol::kH2c}) {
    Patience patience;
    TestServer instance([&patience](Exchange& exchange) { return Patience::Wait(patience, exchange); });
    ProxySetup setup;
    setup.revision.protocol = protocol;
    ProxyFixture proxy(setup);
    proxy.SetPorts({instance.port()});
    Http2Asker client(proxy.loop(), proxy.port());
    std::optional<http::Http2ClientExchange> exchange;
    http::RunOn(proxy.loop(), [&] {
      exchange.emplace(client.connection());
      http::Spawn(SendOnly(*exchange));
    });
    patience.waiting.get_future().wait();
    http::RunOn(proxy.loop(), [&] { exchange.reset(); });
    patience.gone.get_future().wait();
  }
}

TEST(Http2ProxyTest, AHeldRequestThatIsCancelledLeavesTheQueue) {
  ProxyFixture proxy;
  Http2Asker client(proxy.loop(), proxy.port());
  std::optional<http::Http2ClientExchange> exchange;
  http::RunOn(proxy.loop(), [&] {
    exchange.emplace(client.connection());
    http::Spawn(SendOnly(*exchange));
  });
  proxy.events().WaitForDemand();
  http::RunOn(proxy.loop(), [&] { exchange.reset(); });
  RawBackend instance;
  proxy.SetPorts({instance.port()});
  EXPECT_FALSE(instance.HasConnection());
}

// A WebSocket over HTTP/2 as RFC 8441 has it, to an instance that knows only HTTP/1.1's.
Task<void> Converse(http::Http2ClientExchange& exchange, std::string& heard, std::promise<void>& done) {
  (void)co_await exchange.Connected();
  const std::vector<http::Header> fields = {{":method", "CONNECT"},    {":protocol", "websocket"},
                                            {":scheme", "http"},       {":authority", "app.test"},
                                            {":path", "/chat"},        {"sec-websocket-version", "13"}};
  const http::ClientExchange::Part head{{}, fields, {}, false, nullptr};
  (void)co_await exchange.Send(head);
  const Status read = co_await exchange.ReadHead();
  heard = read ? std::to_string(exchange.head().status) + " " : read.error().message;
  const http::ClientExchange::Part hello{{}, {}, "hello", false, nullptr};
  (void)co_await exchange.Send(hello);
  while (true) {
    const Result<std::string_view> piece = co_await exchange.ReadBody();
    if (!piece || piece->empty()) break;
    heard.append(*piece);
    exchange.FinishWriting();
  }
  done.set_value();
}

TEST(Http2ProxyTest, AWebSocketOverHttp2ReachesAnInstanceOfHttp1) {
  RawBackend instance;
  ProxyFixture proxy;
  proxy.SetPorts({instance.port()});
  Http2Asker client(proxy.loop(), proxy.port());
  EXPECT_EQ(client.Ask({"GET", "/", {{"host", "none.test"}}}).status, 400);  // the settings have come
  std::string heard;
  std::promise<void> done;
  std::optional<http::Http2ClientExchange> exchange;
  http::RunOn(proxy.loop(), [&] {
    exchange.emplace(client.connection());
    http::Spawn(Converse(*exchange, heard, done));
  });
  http::RawClient app = instance.Accept();
  const std::string head = app.ReadUntil("\r\n\r\n");
  EXPECT_THAT(head, HasSubstr("GET /chat HTTP/1.1\r\n"));
  EXPECT_THAT(head, HasSubstr("Connection: Upgrade\r\nUpgrade: websocket\r\n"));
  EXPECT_THAT(head, HasSubstr("sec-websocket-key: "));
  app.Send("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  EXPECT_EQ(app.ReadExactly(5), "hello");
  app.Send("and hello to you");
  EXPECT_EQ(app.ReadAll(), "");  // the client has said its last
  app.Close();
  done.get_future().wait();
  EXPECT_EQ(heard, "200 and hello to you");
  http::RunOn(proxy.loop(), [&] { exchange.reset(); });
}

// A client takes its request back and breaks its connection, just as the answer comes: by the time that its last frame is
// looked at, in the same turn, the request has gone.
TEST(Http2ProxyTest, ARequestThatWentWithItsConnectionIsNotEndedAgain) {
  http::RawBackend backend;
  ProxyFixture proxy;
  proxy.SetPorts({backend.port()});
  for (int i = 0; i < 10; ++i) {
    http::RawHttp2 client(proxy.port());
    client.Ping();
    client.Send(http::HeadersFrame(1, http::RequestFields()));
    http::RawClient instance = backend.Accept();
    instance.ReadUntil("\r\n\r\n");
    std::promise<void> stands;
    std::promise<void> go_on;
    proxy.loop().Post([&stands, &go_on] {
      stands.set_value();
      go_on.get_future().wait();
    });
    stands.get_future().wait();
    client.Send(http::Frame(NGHTTP2_RST_STREAM, 0, 1, http::Number(NGHTTP2_CANCEL, 4)));
    client.client().Reset();
    instance.Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    go_on.set_value();
    while (proxy.connections() > 0) {
    }
  }
}

}  // namespace
}  // namespace updraft::activator
