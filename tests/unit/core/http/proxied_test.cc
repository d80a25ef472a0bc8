// PROXY headers on a server's connections.
#include <gtest/gtest.h>

#include "core/http/server.h"
#include "tests/unit/core/http/tls_client.h"
#include "tests/unit/core/http/tls_server.h"

namespace updraft::http {
namespace {

Task<void> WhoAmI(Exchange& exchange) {
  std::string peer = exchange.peer();
  (void)co_await exchange.Respond(200, Headers(), std::move(peer));
}

const std::string kHeader = "PROXY TCP4 192.0.2.1 192.0.2.2 4321 443\r\n";
const std::string kProxiedRequest = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

TEST(ProxiedTest, TheHeaderSaysWhoseConnectionItIs) {
  TestServer server(WhoAmI, {}, "127.0.0.1:0", {.proxy_protocol = true});
  RawClient client(server.port());
  client.Send(kHeader + kProxiedRequest);
  EXPECT_EQ(BodyOf(client.ReadResponse()), "192.0.2.1:4321");
  client.Send(kProxiedRequest);
  EXPECT_EQ(BodyOf(client.ReadResponse()), "192.0.2.1:4321");
}

TEST(ProxiedTest, TheHeaderMayComeByteByByte) {
  TestServer server(WhoAmI, {}, "127.0.0.1:0", {.proxy_protocol = true});
  RawClient client(server.port());
  for (const char byte : kHeader) client.Send({&byte, 1});
  client.Send(kProxiedRequest);
  EXPECT_EQ(BodyOf(client.ReadResponse()), "192.0.2.1:4321");
}

TEST(ProxiedTest, ABalancersOwnConnectionKeepsItsAddress) {
  TestServer server(WhoAmI, {}, "127.0.0.1:0", {.proxy_protocol = true});
  RawClient client(server.port());
  client.Send(std::string("\r\n\r\n\0\r\nQUIT\n\x20\0\0\0", 16) + kProxiedRequest);
  EXPECT_TRUE(BodyOf(client.ReadResponse()).starts_with("127.0.0.1:"));
}

TEST(ProxiedTest, AConnectionWithoutHeaderIsClosedUnanswered) {
  TestServer server(WhoAmI, {.opening_timeout = Millis(100)}, "127.0.0.1:0",
                    {.proxy_protocol = true});
  RawClient without(server.port());
  without.Send(kProxiedRequest);
  EXPECT_EQ(without.ReadAll(), "");
  EXPECT_TRUE(without.closed());

  RawClient silent(server.port());
  EXPECT_EQ(silent.ReadAll(), "");
  EXPECT_TRUE(silent.closed());

  RawClient cut(server.port());
  cut.Send(kHeader.substr(0, 20));
  cut.FinishWriting();
  EXPECT_EQ(cut.ReadAll(), "");
  EXPECT_TRUE(cut.closed());
}

TEST(ProxiedTest, TheHeaderComesBeforeTheHandshake) {
  TlsTestServer server(WhoAmI, {}, {{"a.test", MakeCertificate({"a.test"})}}, true);
  RawClient raw(server.port());
  raw.Send(kHeader);
  TlsClient client(std::move(raw), {});
  ASSERT_TRUE(client.connected()) << client.error();
  client.Send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
  EXPECT_EQ(BodyOf(client.ReadResponse()), "192.0.2.1:4321");
}

}  // namespace
}  // namespace updraft::http
