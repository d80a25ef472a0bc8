#include <gtest/gtest.h>

#include <future>

#include "core/http/sync.h"
#include "core/http/tls_stream.h"
#include "tests/unit/core/http/tls_client.h"
#include "tests/unit/core/http/tls_server.h"

namespace updraft::http {
namespace {

const std::string kRequest = "GET /x HTTP/1.1\r\nHost: a.test\r\n\r\n";
constexpr int kVersions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

// Answers each piece of the body as it comes.
Task<void> EchoPieces(Exchange& exchange) {
  (void)co_await exchange.StartResponse(200, Headers());
  while (true) {
    Result<std::string> piece = co_await exchange.ReadSome();
    if (!piece || piece->empty()) break;
    const Status written = co_await exchange.Write(*std::move(piece));
    if (!written) co_return;
  }
  (void)co_await exchange.Finish();
}

Task<void> Describe(Exchange& exchange) {
  std::string text =
      std::string(exchange.secure() ? "https " : "http ") + exchange.request().target;
  (void)co_await exchange.Respond(200, Headers(), std::move(text));
}

TEST(TlsTest, AnswersInBothVersionsAgainAndAgain) {
  TlsTestServer server(Describe);
  for (const int version : kVersions) {
    TlsClient client(server.port(), {.version = version});
    ASSERT_TRUE(client.connected()) << client.error();
    EXPECT_EQ(SSL_version(client.ssl()), version);
    for (int i = 0; i < 3; ++i) {
      client.Send(kRequest);
      EXPECT_EQ(BodyOf(client.ReadResponse()), "https /x");
    }
  }
}

TEST(TlsTest, RefusesOlderVersions) {
  TlsTestServer server(Describe);
  TlsClient client(server.port(), {.version = TLS1_1_VERSION});
  EXPECT_FALSE(client.connected());
}

TEST(TlsTest, ChoosesTheCertificateByTheNameInTheHello) {
  TlsTestServer server(
      Describe, {},
      {{"a.test", MakeCertificate({"a.test"})}, {"b.test", MakeCertificate({"b.test"})}});
  for (const int version : kVersions) {
    for (const std::string& name : {std::string("a.test"), std::string("B.test")}) {
      TlsClient client(server.port(), {.server_name = name, .version = version});
      EXPECT_EQ(client.certificate_name(), name == "a.test" ? "a.test" : "b.test");
    }
    for (const std::string& name : {std::string("c.test"), std::string()}) {
      TlsClient client(server.port(), {.server_name = name, .version = version});
      EXPECT_FALSE(client.connected());
      EXPECT_NE(client.error().find("unrecognized name"), std::string::npos) << client.error();
    }
  }
  server.certificates.Replace({{"", MakeCertificate({"any.test"})}});
  for (const std::string& name : {std::string("c.test"), std::string()}) {
    TlsClient client(server.port(), {.server_name = name});
    EXPECT_EQ(client.certificate_name(), "any.test") << client.error();
  }
}

TEST(TlsTest, AgreesOnTheVersionOfHttp) {
  TlsTestServer server(Describe);
  TlsClient both(server.port(), {.alpn = "\x08http/1.1\x02h2"});
  EXPECT_EQ(both.protocol(), "h2");
  both.Send(std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") + std::string("\0\0\0\4\0\0\0\0\0", 9));
  EXPECT_EQ(both.ReadExactly(5).substr(3), std::string("\4\0", 2)) << "its settings";
  TlsClient old(server.port(), {.alpn = "\x08http/1.1"});
  EXPECT_EQ(old.protocol(), "http/1.1");
  TlsClient silent(server.port());
  EXPECT_EQ(silent.protocol(), "");
  EXPECT_TRUE(silent.connected());
  TlsClient other(server.port(), {.alpn = "\x03"
                                          "ftp"});
  EXPECT_FALSE(other.connected());
  EXPECT_NE(other.error().find("no application protocol"), std::string::npos) << other.error();
}

TEST(TlsTest, CertificatesChangeUnderOpenConnections) {
  TlsTestServer server(Describe, {}, {{"a.test", MakeCertificate({"a.test", "old.test"})}});
  TlsClient before(server.port());
  before.Send(kRequest);
  EXPECT_EQ(BodyOf(before.ReadResponse()), "https /x");
  server.certificates.Replace({{"a.test", MakeCertificate({"new.test", "a.test"})}});
  TlsClient after(server.port());
  EXPECT_EQ(after.certificate_name(), "new.test");
  before.Send(kRequest);
  EXPECT_EQ(BodyOf(before.ReadResponse()), "https /x");
}

TEST(TlsTest, AClientThatDoesNotFinishItsHelloIsCut) {
  TlsTestServer server(Describe, {.opening_timeout = Millis(100)});
  RawClient client(server.port());
  client.Send(std::string("\x16\x03\x01\x02\x00\x01\x00", 7));
  EXPECT_EQ(client.ReadAll(), "");
  EXPECT_TRUE(client.closed());
  EXPECT_EQ(server.context.counters().abandoned, 1u);
}

TEST(TlsTest, WhoSpeaksWithoutTlsIsTold) {
  TlsTestServer server(Describe);
  RawClient client(server.port());
  client.Send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
  const std::string answer = client.ReadAll();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 Bad Request\r\n")) << answer;
  EXPECT_EQ(BodyOf(answer), "this port speaks HTTPS\r\n");
  RawClient gibberish(server.port());
  gibberish.Send("SSH-2.0-OpenSSH_9.2\r\n");
  gibberish.ReadAll();
  EXPECT_TRUE(gibberish.closed());
  EXPECT_EQ(server.context.counters().refused, 2u);
  EXPECT_EQ(server.context.counters().abandoned, 0u);
}

// A client whose bytes the test carries, so that it can cut them anywhere.
class CarriedClient {
 public:
  explicit CarriedClient(uint16_t port) : raw_(port), context_(SSL_CTX_new(TLS_client_method())) {
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_tlsext_host_name(ssl_.get(), "a.test");
    SSL_set_connect_state(ssl_.get());
  }
  // Until the response to `request` has come.
  std::string Exchange(std::string_view request, size_t piece) {
    std::string response;
    while (!response.ends_with("https /x")) {
      if (SSL_is_init_finished(ssl_.get()) == 1 && !request.empty()) {
        SSL_write(ssl_.get(), request.data(), static_cast<int>(request.size()));
        request = {};
      }
      char bytes[4096];
      const int count = SSL_read(ssl_.get(), bytes, sizeof bytes);
      if (count > 0) {
        response.append(bytes, static_cast<size_t>(count));
        continue;
      }
      CarryOut(piece);
      if (SSL_is_init_finished(ssl_.get()) == 1 && !request.empty()) continue;
      const std::string came = raw_.ReadExactly(1);
      if (came.empty()) break;
      BIO_write(SSL_get_rbio(ssl_.get()), came.data(), static_cast<int>(came.size()));
    }
    return response;
  }

 private:
  void CarryOut(size_t piece) {
    char bytes[16384];
    const int count = BIO_read(SSL_get_wbio(ssl_.get()), bytes, sizeof bytes);
    const std::string_view all(bytes, static_cast<size_t>(std::max(count, 0)));
    for (size_t at = 0; at < all.size(); at += piece) raw_.Send(all.substr(at, piece));
  }

  RawClient raw_;
  std::unique_ptr<SSL_CTX, FreeTls> context_;
  std::unique_ptr<SSL, FreeTls> ssl_;
};

TEST(TlsTest, TakesTheClientsBytesHoweverTheyAreCut) {
  TlsTestServer server(Describe);
  for (const size_t piece : {1, 2, 3, 5, 7, 100, 16384}) {
    CarriedClient client(server.port());
    for (int i = 0; i < 2; ++i)
      EXPECT_TRUE(client.Exchange(kRequest, piece).ends_with("https /x")) << piece;
  }
}

std::string Patterned(size_t size) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 31 >> 3);
  return bytes;
}

TEST(TlsTest, CarriesBodiesBothWaysAtOnce) {
  TlsTestServer server(EchoPieces);
  const std::string body = Patterned(4 << 20);
  for (const int version : kVersions) {
    TlsClient client(server.port(), {.version = version});
    client.Send("POST / HTTP/1.0\r\nHost: a.test\r\nContent-Length: " +
                std::to_string(body.size()) + "\r\n\r\n");
    std::string answer = client.ReadUntil("\r\n\r\n");
    answer.clear();
    for (size_t at = 0; at < body.size(); at += 100'003) {
      const std::string_view piece = std::string_view(body).substr(at, 100'003);
      ASSERT_TRUE(client.Send(piece));
      answer += client.ReadExactly(piece.size());
    }
    EXPECT_TRUE(answer == body);
    EXPECT_EQ(client.ReadAll(), "");
    EXPECT_TRUE(client.ended_cleanly());
  }
}

Task<void> SendPattern(Exchange& exchange) {
  std::string body = Patterned(16 << 20);
  (void)co_await exchange.Respond(200, Headers(), std::move(body));
}

// More than the sockets hold between them: the server has to wait for the client again and again.
TEST(TlsTest, ASlowReadersBodyIsWhole) {
  TlsTestServer server(SendPattern);
  const std::string body = Patterned(16 << 20);
  for (const int version : kVersions) {
    TlsClient client(server.port(), {.version = version});
    client.Send(kRequest + kRequest);
    EXPECT_TRUE(BodyOf(client.ReadResponse()) == body);
    EXPECT_TRUE(BodyOf(client.ReadResponse()) == body);
  }
}

TEST(TlsTest, PipelinedRequestsInOneRecordAreAllAnswered) {
  TlsTestServer server(Describe);
  TlsClient client(server.port());
  std::string requests;
  for (int i = 0; i < 500; ++i)
    requests += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: a.test\r\n\r\n";
  client.Send(requests);
  for (int i = 0; i < 500; ++i)
    ASSERT_EQ(BodyOf(client.ReadResponse()), "https /" + std::to_string(i));
}

Task<void> HalfAnAnswer(Exchange& exchange) {
  (void)co_await exchange.StartResponse(200, Headers());
  std::string half = "half";
  (void)co_await exchange.Write(std::move(half));
  exchange.Abort();
}

TEST(TlsTest, OnlyAWholeAnswerEndsCleanly) {
  TlsTestServer whole(EchoPieces);
  TlsClient client(whole.port());
  client.Send("GET / HTTP/1.0\r\nHost: a.test\r\n\r\n");
  client.ReadAll();
  EXPECT_TRUE(client.ended_cleanly());

  TlsTestServer cut(HalfAnAnswer);
  TlsClient other(cut.port());
  other.Send("GET / HTTP/1.0\r\nHost: a.test\r\n\r\n");
  EXPECT_EQ(BodyOf(other.ReadAll()), "half");
  EXPECT_FALSE(other.ended_cleanly());
}

TEST(TlsTest, AResetInMidBodyEndsTheRequestAndNothingElse) {
  std::promise<Code> ended;
  const Handler handler = [&ended](Exchange& exchange) -> Task<void> {
    if (exchange.request().method == "GET") return Describe(exchange);
    return [](Exchange& x, std::promise<Code>& end) -> Task<void> {
      const Result<std::string> body = co_await x.ReadBody(1 << 20);
      end.set_value(body ? Code::kInternal : body.error().code);
    }(exchange, ended);
  };
  TlsTestServer server(handler);
  TlsClient bystander(server.port());
  {
    TlsClient client(server.port());
    client.Send("POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 100\r\n\r\nhalf");
    client.raw().Reset();
  }
  EXPECT_EQ(ended.get_future().get(), Code::kUnavailable);
  bystander.Send(kRequest);
  EXPECT_EQ(BodyOf(bystander.ReadResponse()), "https /x");
}

TEST(TlsTest, SessionsAreResumedByWhoeverHasTheKeys) {
  TlsTestServer one(Describe);
  TlsTestServer two(Describe);
  const TicketKeys keys = MakeTicketKeys();
  const auto set = [](TlsTestServer& server, const TicketKeys& to) {
    RunOn(server.server.loop(), [&] { server.context.SetTicketKeys(to); });
  };
  set(one, keys);
  for (const int version : kVersions) {
    TlsClient first(one.port(), {.version = version});
    first.Send(kRequest);
    first.ReadResponse();
    ASSERT_NE(first.session(), nullptr);
    const auto resumed = [&](const TicketKeys& by) {
      set(two, by);
      TlsClient again(two.port(), {.version = version, .session = first.session()});
      EXPECT_TRUE(again.connected()) << again.error();
      again.Send(kRequest);
      EXPECT_EQ(BodyOf(again.ReadResponse()), "https /x");
      return again.resumed();
    };
    EXPECT_TRUE(resumed(keys));
    EXPECT_TRUE(resumed(Rotate(keys)));
    EXPECT_FALSE(resumed(Rotate(Rotate(keys))));
  }
  for (const TlsCounters::OfVersion* of :
       {&two.context.counters().tls12, &two.context.counters().tls13}) {
    EXPECT_EQ(of->full, 1u);
    EXPECT_EQ(of->resumed, 2u);
  }
}

TEST(TlsTest, ARequestForAHostWithAnotherCertificateIsMisdirected) {
  const auto both = MakeCertificate({"a.test", "b.test"});
  TlsTestServer server(
      Describe, {},
      {{"a.test", both}, {"c.test", MakeCertificate({"c.test"})}, {"", MakeCertificate({"any"})}});
  const auto status = [&server](const std::string& name, const std::string& host) {
    TlsClient client(server.port(), {.server_name = name});
    client.Send("GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
    return client.ReadResponse().substr(9, 3);
  };
  EXPECT_EQ(status("a.test", "a.test"), "200");
  EXPECT_EQ(status("a.test", "A.test:443"), "200");
  EXPECT_EQ(status("a.test", "b.test"), "200") << "the certificate names it as well";
  EXPECT_EQ(status("a.test", "c.test"), "421");
  EXPECT_EQ(status("a.test", "d.test"), "421") << "served with the default";
  EXPECT_EQ(status("d.test", "e.test"), "200") << "both with the default";
  EXPECT_EQ(status("", "d.test"), "200");
  EXPECT_EQ(status("", "c.test"), "421");
}

TEST(TlsTest, KeysAreRenewedWithinAConnection) {
  TlsTestServer server(Describe);
  TlsClient client(server.port());
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(SSL_key_update(client.ssl(), SSL_KEY_UPDATE_REQUESTED), 1);
    client.Send(kRequest);
    EXPECT_EQ(BodyOf(client.ReadResponse()), "https /x");
  }
}

}  // namespace
}  // namespace updraft::http
