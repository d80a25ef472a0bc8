// Connections of HTTP/2 beside one another on one loop: what each may have of a turn, and of the buffers that they share.
#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <optional>
#include <string>
#include <vector>

#include "core/http/sync.h"
#include "tests/unit/core/http/raw_http2.h"
#include "tests/unit/core/http/test_server.h"

namespace updraft::http {
namespace {

using namespace std::string_literals;

Task<void> NotePath(Exchange& exchange, std::vector<std::string>* order) {
  order->emplace_back(exchange.request().path());
  (void)co_await exchange.Respond(200, Headers(), "ok");
}

// A request for "/" in as few bytes as it takes.
std::string ShortRequest(uint32_t stream) {
  return Frame(NGHTTP2_HEADERS, kEndStream | kEndHeaders, stream, "\x82\x86\x84\x01\x01h"s);
}

class Http2TurnTest : public testing::Test {
 protected:
  static constexpr uint32_t kMany = 900;  // within the limits for streams, and for resets

  Http2TurnTest()
      : server_([this](Exchange& exchange) { return NotePath(exchange, &order_); }, {.http2_streams_max = 1000}),
        many_(server_.port()),
        other_(server_.port()) {
    many_.Ping();
    other_.Send("GET /first HTTP/1.1\r\nHost: h\r\n\r\n");
    other_.ReadResponse();
    RunOn(server_.loop(), [this] { order_.clear(); });
  }

  // Both send while the loop stands still: what it then finds is `many` first.
  void SendBoth(const std::string& many) {
    std::promise<void> stands;
    std::promise<void> go_on;
    server_.loop().Post([&stands, &go_on] {
      stands.set_value();
      go_on.get_future().wait();
    });
    stands.get_future().wait();
    many_.Send(many);
    other_.Send("GET /other HTTP/1.1\r\nHost: h\r\n\r\n");
    go_on.set_value();
    EXPECT_EQ(BodyOf(other_.ReadResponse()), "ok");
  }
  size_t PlaceOf(const std::string& path) {
    size_t place = 0;
    RunOn(server_.loop(), [&] { place = static_cast<size_t>(std::ranges::find(order_, path) - order_.begin()); });
    return place;
  }

  std::vector<std::string> order_;  // the loop's
  TestServer server_;
  RawHttp2 many_;
  RawClient other_;
};

TEST_F(Http2TurnTest, OthersAreServedBetweenTheRequestsOfOneConnection) {
  std::string requests;
  for (uint32_t i = 0; i < kMany; ++i) requests += ShortRequest(2 * i + 1);
  SendBoth(requests);
  ASSERT_TRUE(many_.ReadUntil([](const Seen& seen) { return seen.ended.size() == kMany; }));
  EXPECT_LT(PlaceOf("/other"), 64u + 4096 / ShortRequest(1).size() + 1);
}

// Requests that are taken back at once do not come to a handler; the one behind them does.
TEST_F(Http2TurnTest, OthersAreServedBetweenTheResetsOfOneConnection) {
  std::string requests;
  for (uint32_t i = 0; i < kMany; ++i)
    requests += ShortRequest(2 * i + 1) + Frame(NGHTTP2_RST_STREAM, 0, 2 * i + 1, Number(NGHTTP2_CANCEL, 4));
  SendBoth(requests + HeadersFrame(2 * kMany + 1, RequestFields("GET", "/last")));
  ASSERT_TRUE(many_.ReadStream(2 * kMany + 1));
  EXPECT_LT(PlaceOf("/other"), PlaceOf("/last"));
}

// What came with the preface counts as well, and what is left of it is not forgotten.
TEST_F(Http2TurnTest, ThePrefaceMayComeWithMoreThanATurnTakes) {
  RawClient fresh(server_.port());
  std::string all = std::string(RawHttp2::kPreface) + Frame(NGHTTP2_SETTINGS, 0, 0, {});
  for (uint32_t i = 0; i < 400; ++i) all += ShortRequest(2 * i + 1);
  fresh.Send(all);
  const auto served = [this] { return PlaceOf("none"); };
  for (int tries = 0; served() < 400 && tries < 10'000; ++tries) poll(nullptr, 0, 1);
  EXPECT_EQ(served(), 400u);
}

Task<void> AnswerInTurn(Exchange& exchange, std::optional<Signal>* big_is_out) {
  const std::string path(exchange.request().path());
  if (path == "/late") co_await (*big_is_out)->Wait();
  std::string body = path == "/big" ? std::string(40'000, 'b') : path;
  (void)co_await exchange.Respond(200, Headers(), std::move(body));
  if (path == "/big") (*big_is_out)->Notify();
}

// One connection has packed an answer into a buffer of its own, another gives a larger one back, and then the first packs
// once more, before its turn to write has come.
TEST(Http2BufferTest, ABufferThatComesLaterReplacesNoneThatIsInUse) {
  std::optional<Signal> big_is_out;
  TestServer server([&big_is_out](Exchange& exchange) { return AnswerInTurn(exchange, &big_is_out); });
  RunOn(server.loop(), [&] { big_is_out.emplace(server.loop()); });
  RawHttp2 small(server.port());
  RawHttp2 large(server.port());
  large.Ping();
  small.Send(HeadersFrame(1, RequestFields("GET", "/late")));
  small.Ping();
  std::promise<void> stands;
  std::promise<void> go_on;
  server.loop().Post([&stands, &go_on] {
    stands.set_value();
    go_on.get_future().wait();
  });
  stands.get_future().wait();
  large.Send(HeadersFrame(1, RequestFields("GET", "/big")));
  small.Send(HeadersFrame(3, RequestFields("GET", "/soon")));
  go_on.set_value();
  ASSERT_TRUE(small.ReadStream(1));
  ASSERT_TRUE(small.ReadStream(3));
  EXPECT_EQ(small.seen().bodies.at(1), "/late");
  EXPECT_EQ(small.seen().bodies.at(3), "/soon");
  ASSERT_TRUE(large.ReadStream(1));
}

}  // namespace
}  // namespace updraft::http
