// Our HTTP/2 server and client with each other, over loopback.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "core/http/sync.h"
#include "tests/unit/core/http/http2_asker.h"
#include "tests/unit/core/http/raw_client.h"
#include "tests/unit/core/http/test_server.h"

namespace updraft::http {
namespace {

using testing::HasSubstr;

Task<void> Echo(Exchange& exchange) {
  Result<std::string> body = co_await exchange.ReadBody(64 << 20);
  std::string text = exchange.request().method + " " + exchange.request().target + "\n";
  for (const NamedHeader header : exchange.request().headers)
    text.append(header.name).append("=").append(header.value).append("\n");
  for (const NamedHeader header : exchange.trailers())
    text.append("trailer ").append(header.name).append("=").append(header.value).append("\n");
  text += body ? *body : body.error().message;
  Headers headers{{"X-Answer", "Yes"}, {"Connection", "close"}};
  (void)co_await exchange.Respond(203, std::move(headers), std::move(text));
}

TEST(Http2Test, CarriesARequestAndItsAnswer) {
  TestServer server(Echo);
  Http2Asker client(server.loop(), server.port());
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
  Http2Asker client(server.loop(), server.port());
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
  Http2Asker client(server.loop(), server.port());
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
  Http2Asker client(server.loop(), server.port());
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
  Http2Asker client(server.loop(), server.port());
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
  Http2Asker client(server.loop(), server.port());
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
  Http2Asker client(server.loop(), server.port());
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
  Http2Asker client(server.loop(), server.port());
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
