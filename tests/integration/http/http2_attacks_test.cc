// Floods and games of HTTP/2 clients: what they cost is bounded, and others are served meanwhile.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <thread>

#include "core/http/sync.h"
#include "tests/integration/http/memory.h"
#include "tests/integration/http/wire.h"
#include "tests/unit/core/http/raw_http2.h"
#include "tests/unit/core/http/test_server.h"

namespace updraft::activator {
namespace {

using namespace std::string_literals;
using http::DataFrame;
using http::FieldList;
using http::Fields;
using http::Frame;
using http::HeadersFrame;
using http::kAck;
using http::kEndHeaders;
using http::kEndStream;
using http::Number;
using http::RawHttp2;
using http::RequestFields;
using http::Setting;

constexpr size_t kLongBytes = 10 << 20;

struct SlowInstance {
  std::atomic<int> requests = 0;
  std::atomic<int> whole = 0;
  std::atomic<int> abandoned = 0;

  // By path: "/long" is long, "/never" gets no answer, all else "ok".
  static http::Task<void> Serve(http::Exchange& exchange, SlowInstance* instance) {
    ++instance->requests;
    const std::string_view path = exchange.request().path();
    if (path == "/long") {
      co_await SendLong(exchange);
    } else if (path == "/never") {
      http::Signal gone(exchange.loop());
      exchange.OnClientGone([&gone] { gone.Notify(); });
      co_await gone.Wait();
      ++instance->abandoned;
    } else {
      const Result<std::string> body = co_await exchange.ReadBody(64 << 20);
      if (body) ++instance->whole;
      (void)co_await exchange.Respond(200, http::Headers(), "ok");
    }
  }
  static http::Task<void> SendLong(http::Exchange& exchange) {
    (void)co_await exchange.StartResponse(200, http::Headers());
    for (size_t sent = 0; sent < kLongBytes; sent += 1 << 16) {
      std::string piece(1 << 16, 'l');
      const Status written = co_await exchange.Write(std::move(piece));
      if (!written) co_return;
    }
    (void)co_await exchange.Finish();
  }
};

class AttackTest : public testing::Test {
 protected:
  explicit AttackTest(RevisionSettings settings = {})
      : backend_(
            [this](http::Exchange& exchange) { return SlowInstance::Serve(exchange, &instance_); }),
        activator_(Workers(2), std::move(settings)) {
    activator_.SetPorts({backend_.port()});
  }

  // Others are served: over enough connections to meet every worker.
  void ExpectOthersAreServed() {
    for (int i = 0; i < 8; ++i) {
      RawClient other(activator_.port());
      other.Send(kGet);
      EXPECT_EQ(BodyOf(other.ReadResponse()), "ok");
    }
  }
  void WaitUntilIdle() {
    while (activator_.in_flight(backend_.port()) != 0) poll(nullptr, 0, 1);
  }

  SlowInstance instance_;
  http::TestServer backend_;
  ActivatorFixture activator_;
};

// Asks one request after the other, each on a connection of its own so that every worker is met.
class Bystander {
 public:
  explicit Bystander(uint16_t port)
      : thread_([this, port] {
          while (!over_) {
            RawClient client(port);
            client.Send(kGet);
            ++asked_;
            if (BodyOf(client.ReadResponse()) == "ok") ++answered_;
          }
        }) {}
  ~Bystander() { End(); }
  void End() {
    over_ = true;
    if (thread_.joinable()) thread_.join();
  }
  int asked() const { return asked_; }
  int answered() const { return answered_; }

 private:
  std::atomic<bool> over_ = false;
  std::atomic<int> asked_ = 0;
  std::atomic<int> answered_ = 0;
  std::thread thread_;
};

std::string ResetFrame(uint32_t stream) {
  return Frame(NGHTTP2_RST_STREAM, 0, stream, Number(NGHTTP2_CANCEL, 4));
}

// Sends what `next` (round -> bytes) gives until the connection is closed or `bytes_max` are sent.
template <typename Next>
size_t Flood(RawHttp2& client, size_t bytes_max, Next next) {
  const int small = 16 << 10;
  setsockopt(client.client().fd(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  const timeval patience{2, 0};
  setsockopt(client.client().fd(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  size_t sent = 0;
  for (uint32_t round = 0; sent < bytes_max; ++round) {
    const std::string bytes = next(round);
    if (!client.Send(bytes)) break;
    sent += bytes.size();
  }
  return sent;
}

std::string Repeat(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

// ---- resets

TEST_F(AttackTest, RapidResetEndsTheConnectionAndReachesFewWhileOthersAreServed) {
  for (const bool together : {true, false}) {
    const int before = instance_.requests;
    Bystander other(activator_.port());
    while (other.answered() == 0) std::this_thread::yield();
    RawHttp2 client(activator_.port());
    const TimePoint start = RealClock().Now();
    bool open = true;
    for (uint32_t stream = 1; open && stream < 40'000; stream += 2) {
      open = together ? client.Send(HeadersFrame(stream, RequestFields()) + ResetFrame(stream))
                      : client.Send(HeadersFrame(stream, RequestFields())) &&
                            client.Send(ResetFrame(stream));
    }
    client.ReadUntil([](const http::Seen&) { return false; });
    EXPECT_TRUE(client.client().closed());
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(RealClock().Now() - start).count() + 1;
    other.End();
    EXPECT_GT(other.answered(), 1);
    EXPECT_EQ(other.answered(), other.asked());
    // A thousand, and 33 more each second.
    EXPECT_LE(instance_.requests - before - other.asked(), 1000 + 33 * seconds + 1);
    WaitUntilIdle();
  }
}

TEST_F(AttackTest, ResetsThatWeAreMadeToSendCountAsWell) {
  RawHttp2 client(activator_.port());
  const std::string much = Number(0x7fffffff, 4);
  for (uint32_t stream = 1; stream < 10'000; stream += 2) {
    if (!client.Send(HeadersFrame(stream, RequestFields("POST", "/never"), kEndHeaders) +
                     Frame(NGHTTP2_WINDOW_UPDATE, 0, stream, much)))
      break;
  }
  client.ReadUntil([](const http::Seen&) { return false; });
  EXPECT_EQ(client.seen().goaway, NGHTTP2_ENHANCE_YOUR_CALM);
  ExpectOthersAreServed();
  EXPECT_LT(instance_.requests, 1200);
  WaitUntilIdle();
}

TEST_F(AttackTest, StreamsBeyondTheLimitEndTheConnection) {
  RawHttp2 client(activator_.port());
  client.ReadUntil([](const http::Seen& seen) { return seen.streams_max != 0; });
  const uint32_t most = client.seen().streams_max;
  ASSERT_EQ(most, 1000u);
  client.ReadUntil([](const http::Seen& seen) { return seen.settings_acks > 0; });
  ASSERT_TRUE(client.Ping());  // our acknowledgement is there as well
  for (uint32_t i = 0; i < most + 1; ++i)
    client.Send(HeadersFrame(2 * i + 1, RequestFields("GET", "/never")));
  client.ReadUntil([](const http::Seen&) { return false; });
  EXPECT_EQ(client.seen().goaway, NGHTTP2_PROTOCOL_ERROR);
  EXPECT_TRUE(client.client().closed());
  EXPECT_LE(instance_.requests, 1000);
  WaitUntilIdle();
}

// ---- heads

TEST_F(AttackTest, AContinuationFloodEndsTheConnection) {
  RawHttp2 client(activator_.port());
  client.Send(Frame(NGHTTP2_HEADERS, kEndStream, 1, Fields(RequestFields())));
  const size_t sent = Flood(client, 8 << 20, [](uint32_t) {
    return Frame(NGHTTP2_CONTINUATION, 0, 1, Fields({{"x", std::string(100, 'c')}}));
  });
  client.ReadUntil([](const http::Seen&) { return false; });
  EXPECT_TRUE(client.client().closed());
  EXPECT_LT(sent, size_t{4} << 20);
  EXPECT_EQ(instance_.requests, 0);
  ExpectOthersAreServed();
}

TEST_F(AttackTest, AnEmptyContinuationFloodEndsTheConnection) {
  RawHttp2 client(activator_.port());
  client.Send(Frame(NGHTTP2_HEADERS, kEndStream, 1, Fields(RequestFields())));
  client.Send(Repeat(Frame(NGHTTP2_CONTINUATION, 0, 1, ""), 1000));
  client.ReadUntil([](const http::Seen&) { return false; });
  EXPECT_TRUE(client.client().closed());
  EXPECT_EQ(instance_.requests, 0);
}

TEST_F(AttackTest, AHeadInEightMoreFramesIsServedAndInNineEndsTheConnection) {
  const auto in_pieces = [](int pieces, bool whole) {
    const std::string block = Fields(RequestFields());
    std::string frames = Frame(NGHTTP2_HEADERS, kEndStream, 1, block.substr(0, 1));
    for (size_t i = 1; i <= static_cast<size_t>(pieces); ++i) {
      const bool last = whole && i == static_cast<size_t>(pieces);
      frames += Frame(NGHTTP2_CONTINUATION, last ? kEndHeaders : 0, 1, last ? block.substr(i) : block.substr(i, 1));
    }
    return frames;
  };
  RawHttp2 client(activator_.port());
  client.Send(in_pieces(8, true));
  ASSERT_TRUE(client.ReadStream(1));
  EXPECT_EQ(client.seen().statuses.at(1), 200);
  RawHttp2 other(activator_.port());
  other.Send(in_pieces(9, false));
  other.ReadUntil([](const http::Seen&) { return false; });
  EXPECT_TRUE(other.client().closed());
  EXPECT_EQ(instance_.requests, 1);
}

// One field of 4000 bytes, then a byte for each time that it comes again.
TEST_F(AttackTest, AFieldThatIsNamedTenThousandTimesIsTooLarge) {
  ExpectOthersAreServed();
  const size_t before = ResidentBytes();
  for (int i = 0; i < 20; ++i) {
    RawHttp2 client(activator_.port());
    const std::string indexed = "\x40\x01x"s + http::HpackLength(4000) + std::string(4000, 'b');
    client.Send(Frame(NGHTTP2_HEADERS, kEndStream | kEndHeaders, 1,
                      Fields(RequestFields()) + indexed + std::string(10'000, '\xbe')));
    client.ReadStream(1);
    EXPECT_TRUE(client.seen().statuses.contains(1) ? client.seen().statuses.at(1) == 431
                                                   : client.seen().over(1) || client.seen().goaway);
  }
  EXPECT_EQ(instance_.requests, 8);
  if (kMemoryCounts) {
    EXPECT_LT(ResidentBytes(), before + (8 << 20));
  }
}

TEST_F(AttackTest, TooManyFieldsAndTooLargeHeadsAreRefused) {
  RawHttp2 client(activator_.port());
  FieldList many;
  for (int i = 0; i < 120; ++i) many.emplace_back("x-" + std::to_string(i), "v");
  client.Send(HeadersFrame(1, RequestFields() + many));
  client.ReadStream(1);
  EXPECT_EQ(client.seen().statuses.at(1), 431);
  const std::string block = Fields(RequestFields() + FieldList{{"x", std::string(40'000, 'x')},
                                                               {"y", std::string(30'000, 'y')}});
  std::string frames = Frame(NGHTTP2_HEADERS, kEndStream, 3, block.substr(0, 16384));
  for (size_t at = 16384; at < block.size(); at += 16384) {
    const bool last = at + 16384 >= block.size();
    frames += Frame(NGHTTP2_CONTINUATION, last ? kEndHeaders : 0, 3, block.substr(at, 16384));
  }
  client.Send(frames);
  client.ReadStream(3);
  EXPECT_TRUE(client.seen().goaway || client.seen().resets.contains(3) ||
              client.seen().statuses.at(3) == 431);
  EXPECT_EQ(instance_.requests, 0);
}

// ---- control frames

TEST_F(AttackTest, FloodsOfControlFramesTakeNoMemory) {
  const std::string data = DataFrame(1, "", 0);
  const struct {
    const char* name;
    std::string frame;
  } floods[] = {
      {"PING", Frame(NGHTTP2_PING, 0, 0, "12345678")},
      {"SETTINGS",
       Frame(NGHTTP2_SETTINGS, 0, 0, Setting(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 65535))},
      {"PRIORITY", Frame(NGHTTP2_PRIORITY, 0, 1, Number(0, 4) + "\x10")},
      {"WINDOW_UPDATE", Frame(NGHTTP2_WINDOW_UPDATE, 0, 0, Number(1, 4))},
      {"DATA", data},
      {"unknown", Frame(0xee, 0, 0, "")},
  };
  ExpectOthersAreServed();
  for (const auto& flood : floods) {
    const size_t before = ResidentBytes();
    RawHttp2 client(activator_.port());
    client.Send(HeadersFrame(1, RequestFields("POST"), kEndHeaders));
    const std::string frames = Repeat(flood.frame, 1000);
    // Answers are not read: they must not pile up.
    Flood(client, 16 << 20, [&frames](uint32_t) { return frames; });
    ExpectOthersAreServed();
    if (kMemoryCounts) {
      EXPECT_LT(ResidentBytes(), before + (8 << 20)) << flood.name;
    }
  }
}

// ---- windows

TEST_F(AttackTest, ResponsesThatMayNotBeSentTakeLittleMemoryAndAreLetGo) {
  ExpectOthersAreServed();
  const size_t before = ResidentBytes();
  RawHttp2 client(activator_.port(), Setting(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0));
  constexpr uint32_t kStreams = 100;
  for (uint32_t i = 0; i < kStreams; ++i)
    client.Send(HeadersFrame(2 * i + 1, RequestFields("GET", "/long")));
  ASSERT_TRUE(
      client.ReadUntil([](const http::Seen& seen) { return seen.statuses.size() == kStreams; }));
  ASSERT_TRUE(client.Ping());
  if (kMemoryCounts) {
    EXPECT_LT(ResidentBytes(), before + (40 << 20));  // a piece for each, here and in the instance
  }
  EXPECT_TRUE(client.seen().bodies.empty());
  for (uint32_t i = 0; i < kStreams; ++i) client.Send(ResetFrame(2 * i + 1));
  WaitUntilIdle();
  ASSERT_TRUE(client.Ping());
  ExpectOthersAreServed();
}

TEST_F(AttackTest, AClientThatDoesNotReadIsNotWrittenForInMemory) {
  ExpectOthersAreServed();
  const size_t before = ResidentBytes();
  RawHttp2 client(activator_.port(), Setting(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0x7fffffff));
  client.Send(Frame(NGHTTP2_WINDOW_UPDATE, 0, 0, Number(0x7fff0000, 4)));
  for (uint32_t i = 0; i < 100; ++i)
    client.Send(HeadersFrame(2 * i + 1, RequestFields("GET", "/long")));
  while (instance_.requests < 108) poll(nullptr, 0, 1);
  ExpectOthersAreServed();
  if (kMemoryCounts) {
    EXPECT_LT(ResidentBytes(), before + (40 << 20));
  }
  client.client().Reset();
  WaitUntilIdle();
}

TEST_F(AttackTest, AWindowOfOneByteIsRespectedAndAShrunkenOneWaitedFor) {
  RawHttp2 client(activator_.port(), Setting(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1));
  client.Send(HeadersFrame(1, RequestFields()));
  ASSERT_TRUE(client.ReadUntil([](const http::Seen& seen) { return seen.bodies.contains(1); }));
  ASSERT_TRUE(client.Ping());
  EXPECT_EQ(client.seen().bodies.at(1), "o");
  // Now less than nothing, then enough for both.
  client.Send(Frame(NGHTTP2_SETTINGS, 0, 0, Setting(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0)));
  client.Send(Frame(NGHTTP2_WINDOW_UPDATE, 0, 1, Number(1, 4)));
  ASSERT_TRUE(client.Ping());
  EXPECT_EQ(client.seen().bodies.at(1), "o");
  client.Send(Frame(NGHTTP2_SETTINGS, 0, 0, Setting(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 2)));
  ASSERT_TRUE(client.ReadStream(1));
  EXPECT_EQ(client.seen().bodies.at(1), "ok");
}

TEST_F(AttackTest, MoreDataThanTheWindowIsAnError) {
  RawHttp2 client(activator_.port());
  client.Send(HeadersFrame(1, RequestFields("POST", "/never"), kEndHeaders));
  const std::string data = DataFrame(1, std::string(16384, 'd'), 0);
  for (int i = 0; i < 4096 && client.Send(data); ++i) {
  }
  client.ReadUntil([](const http::Seen& seen) { return seen.over(1) || seen.goaway; });
  const http::Seen& seen = client.seen();
  EXPECT_TRUE((seen.goaway && *seen.goaway == NGHTTP2_FLOW_CONTROL_ERROR) ||
              (seen.resets.contains(1) && seen.resets.at(1) == NGHTTP2_FLOW_CONTROL_ERROR));
  client.client().Reset();
  WaitUntilIdle();
}

// ---- one connection, many requests

TEST_F(AttackTest, AStreamThatStallsHoldsNobodyUp) {
  RawHttp2 client(activator_.port());
  client.Send(HeadersFrame(1, RequestFields("GET", "/never")));
  for (uint32_t stream = 3; stream < 1003; stream += 2)
    client.Send(HeadersFrame(stream, RequestFields()));
  ASSERT_TRUE(client.ReadUntil([](const http::Seen& seen) { return seen.ended.size() == 500; }));
  EXPECT_FALSE(client.seen().over(1));
  client.client().Reset();
  WaitUntilIdle();
}

// ---- the end

// Requests that were sent before the client can have heard of it are served as well.
TEST_F(AttackTest, ADrainSaysGoawayTwiceAndLosesNoRequest) {
  RawHttp2 client(activator_.port());
  client.Send(HeadersFrame(1, RequestFields("GET", "/long")));
  ASSERT_TRUE(client.ReadUntil([](const http::Seen& seen) { return seen.statuses.contains(1); }));
  std::promise<void> drained;
  activator_.pool().Drain(RealClock().Now() + Seconds(60), [&drained] { drained.set_value(); });
  ASSERT_TRUE(client.ReadUntil([](const http::Seen& seen) { return seen.goaway.has_value(); }));
  EXPECT_EQ(client.seen().goaway, NGHTTP2_NO_ERROR);
  EXPECT_EQ(client.seen().last_stream, 0x7fffffffu);
  client.Send(HeadersFrame(3, RequestFields()) + Frame(NGHTTP2_PING, kAck, 0, Number(0, 8)));
  ASSERT_TRUE(
      client.ReadUntil([](const http::Seen& seen) { return seen.last_stream != 0x7fffffff; }));
  EXPECT_EQ(client.seen().goaway, NGHTTP2_NO_ERROR);
  EXPECT_EQ(client.seen().last_stream, 3u);
  client.Send(HeadersFrame(5, RequestFields("GET", "/never")));  // to be asked for elsewhere
  const std::string much = Number(2 * kLongBytes, 4);
  client.Send(Frame(NGHTTP2_WINDOW_UPDATE, 0, 0, much) + Frame(NGHTTP2_WINDOW_UPDATE, 0, 1, much));
  client.ReadUntil([](const http::Seen&) { return false; });
  EXPECT_TRUE(client.client().closed());
  EXPECT_EQ(client.seen().statuses.at(3), 200);
  EXPECT_TRUE(client.seen().ended.contains(1) && client.seen().ended.contains(3));
  EXPECT_EQ(client.seen().bodies.at(1).size(), kLongBytes);
  client.client().Close();
  drained.get_future().wait();
  EXPECT_EQ(instance_.requests, 2);
}

// ---- held at zero

// An instance that knows how many requests are inside, and in which order those of each client came.
struct FullInstance {
  explicit FullInstance(size_t clients) : orders(clients) {}
  std::atomic<int> most = 0;
  int inside = 0;  // its loop's, as the next
  std::vector<std::vector<uint32_t>> orders;

  // Path: "/CLIENT/NUMBER".
  static http::Task<void> Serve(http::Exchange& exchange, FullInstance* instance) {
    const std::string path(exchange.request().path());
    const size_t slash = path.find('/', 1);
    instance->orders[std::stoul(path.substr(1, slash))].push_back(
        static_cast<uint32_t>(std::stoul(path.substr(slash + 1))));
    ++instance->inside;
    instance->most = std::max<int>(instance->most, instance->inside);
    const TimePoint until = exchange.loop().Now() + std::chrono::microseconds(300);
    co_await http::SleepUntil(exchange.loop(), until);
    --instance->inside;
    (void)co_await exchange.Respond(200, http::Headers(), "ok");
  }
};

TEST(HeldTest, AHundredThousandRequestsTakeLittleMemoryAndAreAllAnswered) {
  constexpr uint32_t kConnections = 100;
  constexpr uint32_t kStreams = 1000;
  constexpr uint32_t kLimit = 100;
  constexpr size_t kRequests = size_t{kConnections} * kStreams;
  FullInstance instance(kConnections);
  http::TestServer backend(
      [&instance](http::Exchange& exchange) { return FullInstance::Serve(exchange, &instance); });
  WorkerPoolOptions options = Workers(2);
  options.limits.queue_length_max = kRequests;
  ActivatorFixture activator(options, WithConcurrency(kLimit));
  std::vector<std::unique_ptr<RawHttp2>> clients;
  for (uint32_t i = 0; i < kConnections; ++i)
    clients.push_back(std::make_unique<RawHttp2>(activator.port()));
  const size_t before = ResidentBytes();
  for (uint32_t i = 0; i < kConnections; ++i) {
    const std::string path = "/" + std::to_string(i) + "/";
    std::string requests;
    for (uint32_t k = 0; k < kStreams; ++k)
      requests += HeadersFrame(2 * k + 1, RequestFields("GET", path + std::to_string(k)));
    clients[i]->Send(requests);
    ASSERT_TRUE(clients[i]->Ping());
  }
  const size_t each = (ResidentBytes() - before) / kRequests;
  std::printf("%zu requests held, %zu bytes for each\n", kRequests, each);
  if (kMemoryCounts) {
    EXPECT_LT(each, 4096u);
  }
  activator.SetPorts({backend.port()});
  for (const auto& client : clients) {
    ASSERT_TRUE(
        client->ReadUntil([](const http::Seen& seen) { return seen.ended.size() == kStreams; }));
    for (const auto& [stream, status] : client->seen().statuses) ASSERT_EQ(status, 200) << stream;
  }
  EXPECT_EQ(instance.most, static_cast<int>(kLimit));
  // First come, first served, but for those that are on their way at the same time: of a client's thousand, 99 of 100
  // within 50 places of their own.
  size_t far = 0;
  for (const std::vector<uint32_t>& order : instance.orders) {
    ASSERT_EQ(order.size(), kStreams);
    for (uint32_t place = 0; place < kStreams; ++place) {
      const int off = std::abs(static_cast<int>(order[place]) - static_cast<int>(place));
      ASSERT_LE(off, static_cast<int>(kLimit));
      far += off > static_cast<int>(kStreams / 20) ? 1 : 0;
    }
  }
  EXPECT_LT(far, kRequests / 100);
}

class ImpatientTest : public AttackTest {
 protected:
  static RevisionSettings Impatient() {
    RevisionSettings settings;
    settings.timeout = Millis(200);
    return settings;
  }
  ImpatientTest() : AttackTest(Impatient()) {}
};

TEST_F(ImpatientTest, AResponseThatMayNotBeSentEndsAtItsDeadline) {
  RawHttp2 client(activator_.port(), Setting(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0));
  client.Send(HeadersFrame(1, RequestFields("GET", "/long")));
  ASSERT_TRUE(client.ReadUntil([](const http::Seen& seen) { return seen.statuses.contains(1); }));
  WaitUntilIdle();
  ASSERT_TRUE(client.Ping());
}

// ---- what becomes HTTP/1.1

TEST(DowngradeTest, FramesAndFieldsAreWrittenAnew) {
  Wire wire;
  RawHttp2 client(wire.activator().port());
  client.Send(
      HeadersFrame(1,
                   RequestFields("POST", "/x?y") + FieldList{{"cookie", "a=1"},
                                                             {"cookie", "b=2"},
                                                             {"knative-serving-revision", "forged"},
                                                             {"x-one", "1"}},
                   kEndHeaders));
  client.Send(DataFrame(1, "0\r\n\r\nGET /smuggled HTTP/1.1\r\n", 0));
  RawClient instance = wire.backend().Accept();
  const std::string head = instance.ReadUntil("\r\n\r\n");
  EXPECT_TRUE(head.starts_with("POST /x?y HTTP/1.1\r\nHost: app.test\r\n")) << head;
  EXPECT_TRUE(Has(head, "\r\ncookie: a=1; b=2\r\n")) << head;
  EXPECT_TRUE(Has(head, "\r\nTransfer-Encoding: chunked\r\n")) << head;
  EXPECT_FALSE(Has(head, "forged")) << head;
  EXPECT_EQ(instance.ReadUntil("HTTP/1.1\r\n\r\n"),
            "1d\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n");
  // Trailers that would change the message do not reach it.
  client.Send(HeadersFrame(
      1, {{"x-sum", "1"}, {"host", "other.test"}, {"content-length", "7"}, {"k-forged", "1"}}));
  const std::string end = instance.ReadUntil("\r\n\r\n");
  EXPECT_FALSE(Has(end, "host") || Has(end, "content-length")) << end;
}

// An instance's connection that ends says that its response is whole, or that it is not.
TEST(DowngradeTest, AResponseEndsAsTheInstancesDid) {
  const std::string plain = "HTTP/1.0 200 OK\r\n\r\n";
  const std::string sized = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n";
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n";
  const struct {
    const std::string& head;
    bool reset;
    bool whole;
  } cases[] = {{plain, false, true}, {plain, true, false}, {sized, false, false}, {sized, true, false}, {chunked, false, false},
               {chunked, true, false}};
  for (const auto& c : cases) {
    Wire wire;
    RawHttp2 client(wire.activator().port());
    client.Send(HeadersFrame(1, RequestFields()));
    RawClient instance = wire.backend().Accept();
    instance.ReadUntil("\r\n\r\n");
    instance.Send(c.head + "part");
    ASSERT_TRUE(client.ReadUntil([](const http::Seen& seen) { return seen.bodies.contains(1); })) << c.head;
    if (c.reset) {
      instance.Reset();
    } else {
      instance.Close();
    }
    ASSERT_TRUE(client.ReadStream(1)) << c.head;
    EXPECT_EQ(client.seen().bodies.at(1), "part");
    EXPECT_EQ(client.seen().ended.contains(1), c.whole) << c.head;
    EXPECT_EQ(client.seen().resets.contains(1), !c.whole) << c.head;
    wire.WaitUntilIdle();
  }
}

TEST(DowngradeTest, InterimResponsesArePassedOn) {
  Wire wire;
  RawHttp2 client(wire.activator().port());
  client.Send(HeadersFrame(1, RequestFields()));
  RawClient instance = wire.backend().Accept();
  instance.ReadUntil("\r\n\r\n");
  instance.Send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"s + kOk);
  ASSERT_TRUE(client.ReadStream(1));
  const FieldList& fields = client.seen().fields.at(1);
  ASSERT_GE(fields.size(), 3u);
  EXPECT_EQ(fields[0], (FieldList::value_type{":status", "103"}));
  EXPECT_EQ(fields[1], (FieldList::value_type{"link", "</a>"}));
  EXPECT_EQ(client.seen().statuses.at(1), 200);
  EXPECT_EQ(client.seen().bodies.at(1), "ok");
}

}  // namespace
}  // namespace updraft::activator
