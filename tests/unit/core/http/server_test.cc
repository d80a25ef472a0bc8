#include "core/http/server.h"

#include <gtest/gtest.h>

#include "core/http/sync.h"
#include "tests/unit/core/http/raw_client.h"
#include "tests/unit/core/http/test_server.h"

namespace updraft::http {
namespace {

// Answers with what it got: "METHOD TARGET BODY".
Task<void> Echo(Exchange& exchange) {
  Result<std::string> body = co_await exchange.ReadBody(1 << 20);
  if (!body) {
    std::string reason = body.error().message;
    const int status = body.error().code == Code::kResourceExhausted ? 413 : 400;
    (void)co_await exchange.Respond(status, Headers(), std::move(reason));
    co_return;
  }
  std::string answer = exchange.request().method + " " + exchange.request().target + " " + *body;
  (void)co_await exchange.Respond(200, Headers(), std::move(answer));
}

TEST(ServerTest, AnswersOnOneConnectionAgainAndAgain) {
  TestServer server(Echo);
  RawClient client(server.port());
  for (int i = 0; i < 3; ++i) {
    client.Send("GET /a?b=1 HTTP/1.1\r\nHost: h\r\n\r\n");
    const std::string response = client.ReadResponse();
    EXPECT_TRUE(response.starts_with("HTTP/1.1 200 OK\r\nDate: ")) << response;
    EXPECT_EQ(BodyOf(response), "GET /a?b=1 ");
  }
}

TEST(ServerTest, ReadsBodiesOfBothKindsHoweverTheyAreCut) {
  TestServer server(Echo);
  const std::string requests[] = {"POST /l HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello",
                                  "POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
                                  "chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\n"};
  for (const std::string& request : requests) {
    RawClient client(server.port());
    for (size_t cut = 1; cut < request.size(); ++cut) {
      client.Send(request.substr(0, cut));
      client.Send(request.substr(cut));
      const std::string response = client.ReadResponse();
      ASSERT_TRUE(response.ends_with(" hello")) << cut << ": " << response;
    }
  }
}

TEST(ServerTest, AnswersPipelinedRequestsInOrder) {
  TestServer server(Echo);
  RawClient client(server.port());
  std::string requests;
  for (int i = 0; i < 1000; ++i)
    requests += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: h\r\n\r\n";
  client.Send(requests);
  for (int i = 0; i < 1000; ++i)
    ASSERT_EQ(BodyOf(client.ReadResponse()), "GET /" + std::to_string(i) + " ");
}

TEST(ServerTest, RefusesAndClosesWithoutLookingAtWhatFollows) {
  TestServer server(Echo);
  RawClient client(server.port());
  client.Send(
      "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"
      "0\r\n\r\nGET /admin HTTP/1.1\r\nHost: h\r\n\r\n");
  client.FinishWriting();
  const std::string all = client.ReadAll();
  EXPECT_TRUE(all.starts_with("HTTP/1.1 400 Bad Request\r\n")) << all;
  EXPECT_EQ(all.find("HTTP/1.1", 1), std::string::npos) << all;
  EXPECT_FALSE(client.was_reset());
}

TEST(ServerTest, ClosesWhenAskedAndKeepsOldClientsOnlyWhenAsked) {
  TestServer server(Echo);
  for (const char* request :
       {"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", "GET / HTTP/1.0\r\n\r\n"}) {
    RawClient client(server.port());
    client.Send(request);
    const std::string all = client.ReadAll();
    EXPECT_TRUE(client.closed());
    EXPECT_NE(all.find("Connection: close\r\n"), std::string::npos) << all;
  }
  RawClient client(server.port());
  for (int i = 0; i < 2; ++i) {
    client.Send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_NE(client.ReadResponse().find("Connection: keep-alive\r\n"), std::string::npos);
  }
}

TEST(ServerTest, SendsNoBodyToHead) {
  TestServer server(Echo);
  RawClient client(server.port());
  client.Send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\nGET /next HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_NE(client.ReadUntil("\r\n\r\n").find("Content-Length: 7\r\n"), std::string::npos);
  EXPECT_EQ(BodyOf(client.ReadResponse()), "GET /next ");
}

Task<void> Stream3(Exchange& exchange) {
  (void)co_await exchange.StartResponse(200, Headers());
  for (const char* word : {"one", "two", "three"}) {
    std::string piece = word;
    (void)co_await exchange.Write(std::move(piece));
  }
  (void)co_await exchange.Finish();
}

TEST(ServerTest, StreamsInChunksAndToOldClientsUntilItCloses) {
  TestServer server(Stream3);
  RawClient client(server.port());
  client.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_NE(client.ReadUntil("\r\n\r\n").find("Transfer-Encoding: chunked\r\n"), std::string::npos);
  EXPECT_EQ(client.ReadUntil("0\r\n\r\n"), "3\r\none\r\n3\r\ntwo\r\n5\r\nthree\r\n0\r\n\r\n");

  RawClient old(server.port());
  old.Send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(BodyOf(old.ReadAll()), "onetwothree");
}

TEST(ServerTest, SendsContinueOnlyWhenTheBodyIsWanted) {
  TestServer server(Echo);
  RawClient client(server.port());
  client.Send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(client.ReadUntil("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.Send("hi");
  EXPECT_TRUE(client.ReadResponse().ends_with("POST / hi"));

  client.Send(
      "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2000000\r\n\r\n");
  const std::string refused = client.ReadAll();
  EXPECT_TRUE(refused.starts_with("HTTP/1.1 413 ")) << refused;
  EXPECT_NE(refused.find("Connection: close\r\n"), std::string::npos);
}

TEST(ServerTest, CutsSlowHeadsAndIdleConnections) {
  ServerOptions options;
  options.head_timeout = Millis(50);
  options.idle_timeout = Millis(50);
  TestServer server(Echo, options);
  RawClient slow(server.port());
  slow.Send("GET / HTTP/1.1\r\nHo");
  EXPECT_TRUE(slow.ReadAll().starts_with("HTTP/1.1 408 "));
  RawClient idle(server.port());
  EXPECT_EQ(idle.ReadAll(), "");
  EXPECT_TRUE(idle.closed());
}

Task<void> SayNothing(Exchange&) { co_return; }

TEST(ServerTest, AHandlerThatSaysNothingIsAnswered500) {
  TestServer server(SayNothing);
  RawClient client(server.port());
  client.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(client.ReadResponse().starts_with("HTTP/1.1 500 "));
}

Task<void> SayLess(Exchange& exchange) {
  Headers headers{{"Content-Length", "10"}};
  (void)co_await exchange.StartResponse(200, std::move(headers));
  (void)co_await exchange.Write("short");
}

TEST(ServerTest, AResponseThatIsNotWholeIsNotFollowedByAnother) {
  TestServer server(SayLess);
  RawClient client(server.port());
  client.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(BodyOf(client.ReadAll()), "short");
}

// Waits until the client goes or the gate opens, and says which through a promise.
struct WaitingHandler {
  std::promise<void> entered;
  std::promise<bool> gone;
};

Task<void> WaitForEnd(Exchange& exchange, WaitingHandler* test) {
  Signal signal(exchange.loop());
  exchange.OnClientGone([&signal] { signal.Notify(); });
  test->entered.set_value();
  co_await signal.Wait();
  test->gone.set_value(exchange.client_gone());
}

TEST(ServerTest, TellsAHandlerThatItsClientWentAway) {
  WaitingHandler waiting;
  TestServer server([&waiting](Exchange& exchange) { return WaitForEnd(exchange, &waiting); });
  RawClient client(server.port());
  client.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  waiting.entered.get_future().wait();
  client.Close();
  EXPECT_TRUE(waiting.gone.get_future().get());
}

Task<void> Flood(Exchange& exchange, std::atomic<int64_t>* sent) {
  (void)co_await exchange.StartResponse(200, Headers());
  const std::string piece(1 << 16, 'x');
  while (true) {
    std::string copy = piece;
    const Status written = co_await exchange.Write(std::move(copy));
    if (!written) break;
    *sent += static_cast<int64_t>(piece.size());
  }
  *sent = -1;
}

TEST(ServerTest, AWriterWaitsForItsReaderAndLearnsThatItIsGone) {
  std::atomic<int64_t> sent = 0;
  TestServer server([&sent](Exchange& exchange) { return Flood(exchange, &sent); });
  RawClient client(server.port());
  client.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  client.ReadExactly(100 << 20);
  EXPECT_LT(sent, 200 << 20);  // what was read, and the kernel's buffers
  client.Reset();
  while (sent != -1) RunOn(server.loop(), [] {});
}

// Those that have said nothing included: they are accepted after a while.
void WaitForConnections(TestServer& server, size_t count) {
  for (size_t now = 0; now < count;) {
    RunOn(server.loop(), [&] { now = server.server().connection_count(); });
  }
}

TEST(ServerTest, DrainsIdleConnectionsAtOnceAndBusyOnesAfterTheirAnswer) {
  WaitingHandler waiting;
  std::promise<void> drained;
  Signal* release = nullptr;
  struct Releasable {
    static Task<void> Run(Exchange& exchange, WaitingHandler* test, Signal** out) {
      Signal signal(exchange.loop());
      *out = &signal;
      test->entered.set_value();
      co_await signal.Wait();
      (void)co_await exchange.Respond(200, Headers(), "done");
    }
  };
  TestServer server([&waiting, &release](Exchange& exchange) {
    return Releasable::Run(exchange, &waiting, &release);
  });
  RawClient idle(server.port());
  RawClient busy(server.port());
  busy.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  waiting.entered.get_future().wait();
  WaitForConnections(server, 2);
  RunOn(server.loop(), [&server, &drained] {
    server.server().Drain(server.loop().Now() + Seconds(60), [&drained] { drained.set_value(); });
  });
  EXPECT_EQ(idle.ReadAll(), "");
  EXPECT_TRUE(idle.closed());
  EXPECT_FALSE(RawClient(server.port()).connected());
  RunOn(server.loop(), [&release] { release->Notify(); });
  const std::string answer = busy.ReadAll();
  EXPECT_TRUE(answer.ends_with("done")) << answer;
  EXPECT_NE(answer.find("Connection: close\r\n"), std::string::npos) << answer;
  drained.get_future().wait();
}

TEST(ServerTest, ARequestOnItsWayWhenADrainBeginsIsAnsweredAndTheLast) {
  ServerOptions options;
  options.drain_idle_time = Millis(300);
  TestServer server(Echo, options);
  std::promise<void> drained;
  RawClient next(server.port());
  next.Send("GET /1 HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(BodyOf(next.ReadResponse()), "GET /1 ");
  RawClient silent(server.port());
  WaitForConnections(server, 2);
  RunOn(server.loop(), [&server, &drained] {
    server.server().Drain(server.loop().Now() + Seconds(60), [&drained] { drained.set_value(); });
  });
  EXPECT_FALSE(RawClient(server.port()).connected());
  next.Send("GET /2 HTTP/1.1\r\nHost: h\r\n\r\n");
  const std::string answer = next.ReadAll();
  EXPECT_TRUE(answer.ends_with("GET /2 ")) << answer;
  EXPECT_NE(answer.find("Connection: close\r\n"), std::string::npos) << answer;
  EXPECT_EQ(silent.ReadAll(), "");  // had nothing to say for so long
  drained.get_future().wait();
}

TEST(ServerTest, CutsWhatRemainsAtTheEndOfADrain) {
  WaitingHandler waiting;
  std::promise<void> drained;
  TestServer server([&waiting](Exchange& exchange) { return WaitForEnd(exchange, &waiting); });
  RawClient busy(server.port());
  busy.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  waiting.entered.get_future().wait();
  RunOn(server.loop(), [&server, &drained] {
    server.server().Drain(server.loop().Now() + Millis(20), [&drained] { drained.set_value(); });
  });
  drained.get_future().wait();
  EXPECT_EQ(busy.ReadAll(), "");
}

TEST(ServerTest, ServesOnAUnixSocket) {
  const std::string path = testing::TempDir() + "updraft-server-test.sock";
  TestServer server(Echo, {}, "unix:" + path);
  RawClient client(*ParseAddress("unix:" + path));
  client.Send("GET /unix HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(BodyOf(client.ReadResponse()), "GET /unix ");
  unlink(path.c_str());
}

TEST(ServerTest, RefusesAddressesThatAreNone) {
  Loop loop;
  Server server(loop, {}, Echo);
  for (const char* address : {"", "8080", "127.0.0.1:99999", "host:80", "[::1:80", "unix:"}) {
    const Result<uint16_t> port = server.Listen(address);
    ASSERT_FALSE(port) << address;
    EXPECT_EQ(port.error().code, Code::kInvalidArgument) << address;
  }
}

TEST(ServerTest, MoreConnectionsThanItsLimitWaitTheirTurn) {
  ServerOptions options;
  options.connections_max = 1;
  TestServer server(Echo, options);
  auto first = std::make_unique<RawClient>(server.port());
  first->Send("GET /1 HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(BodyOf(first->ReadResponse()), "GET /1 ");
  RawClient second(server.port());
  second.Send("GET /2 HTTP/1.1\r\nHost: h\r\n\r\n");
  first.reset();
  EXPECT_EQ(BodyOf(second.ReadResponse()), "GET /2 ");
}

}  // namespace
}  // namespace updraft::http
