#include "core/http/client.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include "core/http/acceptor.h"
#include "core/http/stream.h"
#include "tests/unit/core/http/raw_client.h"
#include "tests/unit/core/http/test_server.h"

namespace updraft::http {
namespace {

Task<void> FetchInto(Loop* loop, Request request, std::promise<Result<Response>>* promise) {
  Result<Response> response = co_await Fetch(*loop, std::move(request));
  promise->set_value(std::move(response));
}

Result<Response> FetchOn(Loop& loop, Request request) {
  std::promise<Result<Response>> promise;
  loop.Post([&loop, &request, &promise] {
    request.deadline = std::min(request.deadline, loop.Now() + Seconds(30));
    Spawn(FetchInto(&loop, std::move(request), &promise));
  });
  return promise.get_future().get();
}

Request To(const std::string& address) {
  Request request;
  request.address = address;
  request.deadline = TimePoint::max();
  return request;
}

Task<void> Answer(Exchange& exchange) {
  Result<std::string> body = co_await exchange.ReadBody(1 << 20);
  std::string text = exchange.request().method + " " + exchange.request().target + " ";
  text += std::string(exchange.request().headers.Get("x-test").value_or("")) + " " + *body;
  Headers headers{{"X-Answer", "yes"}};
  (void)co_await exchange.Respond(203, std::move(headers), std::move(text));
}

TEST(FetchTest, SendsARequestAndReadsItsAnswer) {
  TestServer server(Answer);
  Request request = To(server.address());
  request.method = "POST";
  request.target = "/t?x";
  request.headers = {{"X-Test", "v"}};
  request.body = "content";
  const Result<Response> response = FetchOn(server.loop(), std::move(request));
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->status, 203);
  EXPECT_EQ(response->headers.Get("x-answer"), "yes");
  EXPECT_EQ(response->body, "POST /t?x v content");
}

TEST(ConnectTest, AShortageOfOursIsNotThePeersFault) {
  const SocketAddress address = *ParseAddress("127.0.0.1:1");
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  const rlimit none{0, limit.rlim_max};
  setrlimit(RLIMIT_NOFILE, &none);
  const Result<UniqueFd> socket = StartConnecting(address);
  setrlimit(RLIMIT_NOFILE, &limit);
  ASSERT_FALSE(socket);
  EXPECT_EQ(socket.error().code, Code::kResourceExhausted);
}

TEST(FetchTest, SaysWhatWentWrong) {
  LoopThread loop("fetch");
  UniqueFd listener = *BindListener(*ParseAddress("127.0.0.1:0"), PortSharing::kExclusive);
  const std::string address = "127.0.0.1:" + std::to_string(BoundPort(listener.get()));

  Request slow = To(address);
  slow.deadline = RealClock().Now() + Millis(30);
  EXPECT_EQ(FetchOn(loop.loop(), std::move(slow)).error().code, Code::kDeadlineExceeded);

  listener.Reset();
  EXPECT_EQ(FetchOn(loop.loop(), To(address)).error().code, Code::kUnavailable);
  EXPECT_EQ(FetchOn(loop.loop(), To("nonsense")).error().code, Code::kInvalidArgument);
}

// A server played by the test: what it sends, and the code that the client ends with.
struct BadServer {
  std::string sends;
  Code code = Code::kInternal;
};

TEST(FetchTest, RefusesWhatIsNoAnswer) {
  LoopThread loop("fetch");
  const UniqueFd listener = *BindListener(*ParseAddress("127.0.0.1:0"), PortSharing::kExclusive);
  const std::string address = "127.0.0.1:" + std::to_string(BoundPort(listener.get()));
  const std::vector<BadServer> servers = {
      {"", Code::kUnavailable},
      {"HTTP/1.1 200 OK\r\nContent-Le", Code::kUnavailable},
      {"SSH-2.0-OpenSSH_9.2\r\n\r\n", Code::kInternal},
      {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", Code::kUnavailable},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", Code::kInvalidArgument},
      {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + std::string(100, 'x'),
       Code::kResourceExhausted},
  };
  for (const BadServer& server : servers) {
    std::promise<Result<Response>> promise;
    loop.loop().Post([&] {
      Request request = To(address);
      request.deadline = loop.loop().Now() + Seconds(30);
      request.body_bytes_max = 50;
      Spawn(FetchInto(&loop.loop(), std::move(request), &promise));
    });
    pollfd waiting{listener.get(), POLLIN, 0};
    ASSERT_EQ(poll(&waiting, 1, 10'000), 1);
    RawClient peer(UniqueFd(accept(listener.get(), nullptr, nullptr)));
    peer.ReadUntil("\r\n\r\n");
    peer.Send(server.sends);
    peer.Close();
    const Result<Response> response = promise.get_future().get();
    ASSERT_FALSE(response) << server.sends;
    EXPECT_EQ(response.error().code, server.code)
        << server.sends << ": " << response.error().message;
  }
}

TEST(FetchTest, TakesABodyThatEndsWithTheConnection) {
  LoopThread loop("fetch");
  const UniqueFd listener = *BindListener(*ParseAddress("127.0.0.1:0"), PortSharing::kExclusive);
  std::promise<Result<Response>> promise;
  loop.loop().Post([&] {
    Request request = To("127.0.0.1:" + std::to_string(BoundPort(listener.get())));
    request.deadline = loop.loop().Now() + Seconds(30);
    Spawn(FetchInto(&loop.loop(), std::move(request), &promise));
  });
  pollfd waiting{listener.get(), POLLIN, 0};
  ASSERT_EQ(poll(&waiting, 1, 10'000), 1);
  RawClient peer(UniqueFd(accept(listener.get(), nullptr, nullptr)));
  peer.ReadUntil("\r\n\r\n");
  peer.Send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 200 OK\r\n\r\nuntil the end");
  peer.Close();
  EXPECT_EQ(promise.get_future().get()->body, "until the end");
}

}  // namespace
}  // namespace updraft::http
