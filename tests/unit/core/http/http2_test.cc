// Our HTTP/2 server and client with each other, over loopback.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "core/http/http2_client.h"
#include "core/http/sync.h"
#include "tests/unit/core/http/raw_client.h"
#include "tests/unit/core/http/test_server.h"

namespace updraft::http {
namespace {

using testing::HasSubstr;

// What a request of the test's client came to.
struct Answered {
  std::vector<int> interim;
  int status = 0;
  Headers headers;
  std::string body;
  Headers trailers;
  std::string error;
  bool not_received = false;
};

struct Asked {
  std::string method = "GET";
  std::string path = "/";
  std::vector<Header> fields = {};
  std::vector<std::string> body = {};  // in pieces; none: no body
  const Headers* trailers = nullptr;
};

Task<Status> SendAll(ClientExchange& exchange, const Asked& asked) {
  std::vector<Header> fields = {
      {":method", asked.method}, {":scheme", "http"}, {":authority", "app.test"}, {":path", asked.path}};
  fields.insert(fields.end(), asked.fields.begin(), asked.fields.end());
  const bool whole = asked.body.empty();
  const ClientExchange::Part head{{}, fields, {}, whole, nullptr};
  Status sent = co_await exchange.Send(head);
  for (size_t i = 0; sent && i < asked.body.size(); ++i) {
    const bool last = i + 1 == asked.body.size();
    const ClientExchange::Part part{{}, {}, asked.body[i], last, last ? asked.trailers : nullptr};
    sent = co_await exchange.Send(part);
  }
  co_return sent;
}

Task<Status> ReadAll(ClientExchange& exchange, Answered& answered) {
  do {
    const Status read = co_await exchange.ReadHead();
    if (!read) co_return read;
    if (exchange.head().status < 200) answered.interim.push_back(exchange.head().status);
  } while (exchange.head().status < 200);
  answered.status = exchange.head().status;
  answered.headers = exchange.head().headers;
  while (true) {
    const Result<std::string_view> piece = co_await exchange.ReadBody();
    if (!piece) co_return piece.error();
    if (piece->empty()) break;
    answered.body.append(*piece);
  }
  answered.trailers = exchange.trailers();
  co_return Ok();
}

// A connection to a test server, on the server's own loop.
class Client {
 public:
  explicit Client(TestServer& server) : loop_(server.loop()) {
    RunOn(loop_, [&] {
      connection_ = *Http2ClientConnection::Start(loop_, *ParseAddress(server.address()), Seconds(5));
    });
  }
  ~Client() {
    RunOn(loop_, [&] { connection_.reset(); });
  }

  std::vector<Answered> AskAll(std::vector<Asked> all) {
    std::vector<Answered> answers(all.size());
    std::promise<void> done;
    size_t left = all.size();
    RunOn(loop_, [&] {
      for (size_t i = 0; i < all.size(); ++i) Spawn(Run(all[i], answers[i], left, done));
    });
    done.get_future().wait();
    return answers;
  }
  Answered Ask(Asked one) { return AskAll(std::vector{std::move(one)})[0]; }

  Loop& loop() { return loop_; }
  std::shared_ptr<Http2ClientConnection> connection() { return connection_; }  // on the loop only

 private:
  Task<void> Run(const Asked& asked, Answered& answered, size_t& left, std::promise<void>& done) {
    {
      Http2ClientExchange exchange(connection_);
      Status status = co_await exchange.Connected();
      if (status) {
        exchange.Begin(asked.method, BodyFraming::kLength, TimePoint::max());
        status = co_await SendAll(exchange, asked);
      }
      if (status) status = co_await ReadAll(exchange, answered);
      if (!status) answered.error = status.error().message;
      answered.not_received = exchange.not_received();
    }
    if (--left == 0) done.set_value();
  }

  Loop& loop_;
  std::shared_ptr<Http2ClientConnection> connection_;
};

Task<void> Echo(Exchange& exchange) {
  Result<std::string> body = co_await exchange.ReadBody(64 << 20);
  std::string text = exchange.request().method + " " + exchange.request().target + "\n";
  for (const Header header : exchange.request().headers)
    text.append(header.name).append("=").append(header.value).append("\n");
  for (const Header header : exchange.trailers())
    text.append("trailer ").append(header.name).append("=").append(header.value).append("\n");
  text += body ? *body : body.error().message;
  Headers headers{{"X-Answer", "Yes"}, {"Connection", "close"}};
  (void)co_await exchange.Respond(203, std::move(headers), std::move(text));
}

TEST(Http2Test, CarriesARequestAndItsAnswer) {
  TestServer server(Echo);
  Client client(server);
  const Headers trailers{{"x-sum", "7"}};
  const Answered answered =
      client.Ask({"POST", "/t?x", {{"x-test", "v"}, {"cookie", "a=1"}, {"cookie", "b=2"}}, {"con", "tent"}, &trailers});
  EXPECT_EQ(answered.error, "");
  EXPECT_EQ(answered.status, 203);
  EXPECT_EQ(answered.headers.Get("x-answer"), "Yes");
  EXPECT_FALSE(answered.headers.Has("connection"));
  EXPECT_TRUE(answered.headers.Has("date"));
  EXPECT_EQ(answered.headers.Get("content-length"), std::to_string(answered.body.size()));
  EXPECT_EQ(answered.body, "POST /t?x\nx-test=v\nhost=app.test\ncookie=a=1; b=2\ntrailer x-sum=7\ncontent");
}

TEST(Http2Test, ManyAtOnceOnOneConnection) {
  TestServer server(Echo, {.http2_streams_max = 1000});
  Client client(server);
  EXPECT_EQ(client.Ask(Asked{}).status, 203);
  std::vector<Asked> all(1000);
  for (size_t i = 0; i < all.size(); ++i) all[i].path = "/" + std::to_string(i);
  const std::vector<Answered> answers = client.AskAll(all);
  for (size_t i = 0; i < all.size(); ++i)
    EXPECT_THAT(answers[i].body, HasSubstr("GET /" + std::to_string(i) + "\n")) << answers[i].error;
  EXPECT_EQ(server.server().connection_count(), 1u);
}

TEST(Http2Test, BodiesLargerThanAnyWindowBothWays) {
  TestServer server(Echo);
  Client client(server);
  const std::string piece(1 << 20, 'x');
  std::vector<Asked> all(3, {"PUT", "/", {}, {piece, piece, piece, piece}});
  for (const Answered& answered : client.AskAll(all)) {
    EXPECT_EQ(answered.error, "");
    EXPECT_EQ(answered.body.size(), std::string("PUT /\nhost=app.test\n").size() + 4 * piece.size());
  }
}

Task<void> Interims(Exchange& exchange) {
  ResponseHead hints;
  hints.status = 103;
  hints.headers.Add("Link", "</a>");
  const Part early{&hints, {}, false, nullptr};
  (void)co_await exchange.Send(early);
  (void)co_await exchange.ReadBody(100);
  ResponseHead head;
  const Headers trailers{{"Grpc-Status", "0"}};
  const Part first{&head, "some", false, nullptr};
  (void)co_await exchange.Send(first);
  const Part last{nullptr, "more", true, &trailers};
  (void)co_await exchange.Send(last);
}

TEST(Http2Test, InterimResponsesAndTrailers) {
  TestServer server(Interims);
  Client client(server);
  const Answered answered = client.Ask({"POST", "/", {{"expect", "100-continue"}}, {"b"}});
  EXPECT_THAT(answered.interim, testing::ElementsAre(103, 100));
  EXPECT_EQ(answered.body, "somemore");
  EXPECT_EQ(answered.trailers.Get("grpc-status"), "0");
}

Task<void> ByPath(Exchange& exchange) {
  const std::string& target = exchange.request().target;
  if (target == "/head") {
    co_await exchange.Respond(200, {}, "not to be sent");
  } else if (target == "/204") {
    co_await exchange.Respond(204, {}, "");
  } else if (target == "/abort") {
    (void)co_await exchange.StartResponse(200, {});
    (void)co_await exchange.Write("part");
    exchange.Abort();
  } else if (target == "/early") {
    co_await exchange.Respond(413, {}, "too much");
  }
}

TEST(Http2Test, ResponsesWithoutABodyAndWithoutAnEnd) {
  TestServer server(ByPath);
  Client client(server);
  const Answered head = client.Ask({"HEAD", "/head"});
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.headers.Get("content-length"), "14");
  EXPECT_EQ(head.body, "");
  EXPECT_EQ(client.Ask({"GET", "/204"}).status, 204);
  EXPECT_EQ(client.Ask({"GET", "/none"}).status, 500);
  EXPECT_THAT(client.Ask({"GET", "/abort"}).error, HasSubstr("stream reset"));
  // The answer comes whole although the request's body never ends.
  const std::string piece(8 << 20, 'x');
  std::vector<Asked> early(1, {"PUT", "/early", {}, {piece, piece}});
  const Answered answered = client.AskAll(early)[0];
  EXPECT_TRUE(answered.status == 413 || !answered.error.empty());
  EXPECT_EQ(client.Ask({"GET", "/204"}).status, 204);
}

TEST(Http2Test, WhatIsNotARequestNeverReachesAHandler) {
  std::atomic<int> handled = 0;
  TestServer server([&handled](Exchange& exchange) {
    ++handled;
    return Echo(exchange);
  });
  Client client(server);
  EXPECT_EQ(client.Ask({"CONNECT", "/"}).status, 0);
  EXPECT_EQ(client.Ask({"GET", "relative"}).status, 0);
  EXPECT_EQ(client.Ask({"GET", "/", {{"host", "other.test"}}}).status, 400);
  EXPECT_EQ(client.Ask({"GET", "/" + std::string(17 << 10, 'a')}).status, 414);
  const std::vector<Header> many(110, {"x", "y"});
  EXPECT_EQ(client.Ask({"GET", "/", many}).status, 431);
  EXPECT_NE(client.Ask({"GET", "/", {{"transfer-encoding", "chunked"}}}).error, "");
  EXPECT_EQ(handled, 0);
  // Known too late for that; but it is not answered as if it were whole.
  EXPECT_NE(client.Ask({"POST", "/", {{"content-length", "5"}}, {"four"}}).error, "");
  EXPECT_EQ(client.Ask(Asked{}).status, 203);
}

// Waits until its client has gone.
struct Patience {
  std::promise<void> waiting;
  std::promise<bool> lost;

  static Task<void> Wait(Patience& patience, Exchange& exchange) {
    Signal gone(exchange.loop());
    exchange.OnClientGone([&gone] { gone.Notify(); });
    patience.waiting.set_value();
    co_await gone.Wait();
    patience.lost.set_value(exchange.client_lost());
  }
};


Task<void> SendOnly(Http2ClientExchange& exchange) {
  const Asked asked;
  (void)co_await SendAll(exchange, asked);
}

TEST(Http2Test, AHandlerHearsOfAReset) {
  Patience patience;
  TestServer server([&patience](Exchange& exchange) { return Patience::Wait(patience, exchange); });
  Client client(server);
  std::optional<Http2ClientExchange> exchange;
  RunOn(client.loop(), [&] {
    exchange.emplace(client.connection());
    Spawn(SendOnly(*exchange));
  });
  patience.waiting.get_future().wait();
  RunOn(client.loop(), [&] { exchange.reset(); });
  EXPECT_TRUE(patience.lost.get_future().get());
}

TEST(Http2Test, ADrainingServerTakesNoMore) {
  TestServer server(Echo);
  Client client(server);
  EXPECT_EQ(client.Ask(Asked{}).status, 203);
  std::promise<void> drained;
  RunOn(server.loop(), [&] {
    server.server().Drain(server.loop().Now() + Seconds(20), [&drained] { drained.set_value(); });
  });
  drained.get_future().wait();
  RunOn(client.loop(), [&] { EXPECT_FALSE(client.connection()->has_room()); });
  const Answered refused = client.Ask(Asked{});
  EXPECT_EQ(refused.status, 0);
  EXPECT_TRUE(refused.not_received);
}

TEST(Http2Test, ThePrefaceMayComeInPieces) {
  TestServer server(Echo);
  const std::string preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  const std::string settings("\0\0\0\4\0\0\0\0\0", 9);
  for (size_t cut = 1; cut < preface.size(); ++cut) {
    RawClient client(server.port());
    client.Send(preface.substr(0, cut));
    client.Send(preface.substr(cut) + settings);
    // Ours, and the acknowledgement of the client's.
    EXPECT_THAT(client.ReadUntil(std::string("\0\0\0\4\1\0\0\0\0", 9)), HasSubstr(std::string("\4\0\0\0\0\0", 6)));
  }
}

TEST(Http2Test, BadPrefacesAndFramesEndTheConnection) {
  TestServer server(Echo);
  const std::string preface = "PRI * HTTP/2.0\r\n\r\n";
  for (const std::string& bad : {preface + "XX\r\n\r\n", preface + "SM\r\n\r\n" + "GET / HTTP/1.1\r\n\r\n",
                                 preface + "SM\r\n\r\n" + std::string("\0\0\0\4\0\0\0\0\1", 9)}) {
    RawClient client(server.port());
    client.Send(bad);
    client.ReadAll();
    EXPECT_TRUE(client.closed());
  }
}

}  // namespace
}  // namespace updraft::http
