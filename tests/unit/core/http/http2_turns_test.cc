// How much of one HTTP/2 connection is done before the others of its loop have their turn.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <string>
#include <vector>

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

Task<void> TellAndReadBody(Exchange& exchange, std::atomic<bool>* begun) {
  *begun = true;
  (void)co_await exchange.ReadBody(100);
}

// A client resets a stream and then its connection. By the time that its last frames are looked at the stream has gone, in
// the same turn, because its handler was out of time.
TEST(Http2LostTest, AStreamThatWentWithItsConnectionIsNotEndedAgain) {
  constexpr Nanos kBodyTime = Millis(20);
  std::atomic<bool> begun = false;
  TestServer server([&begun](Exchange& exchange) { return TellAndReadBody(exchange, &begun); },
                    {.body_timeout = kBodyTime});
  for (int i = 0; i < 20; ++i) {
    begun = false;
    RawHttp2 client(server.port());
    client.Ping();
    client.Send(HeadersFrame(1, RequestFields("POST"), kEndHeaders));
    while (!begun) poll(nullptr, 0, 1);
    std::promise<void> go_on;
    server.loop().Post([&go_on] { go_on.get_future().wait(); });
    client.Send(Frame(NGHTTP2_RST_STREAM, 0, 1, Number(NGHTTP2_CANCEL, 4)));
    client.client().Reset();
    const TimePoint late = RealClock().Now() + kBodyTime;
    while (RealClock().Now() <= late) poll(nullptr, 0, 1);
    go_on.set_value();
    size_t open = 1;
    while (open != 0) RunOn(server.loop(), [&] { open = server.server().connection_count(); });
  }
}

}  // namespace
}  // namespace updraft::http
