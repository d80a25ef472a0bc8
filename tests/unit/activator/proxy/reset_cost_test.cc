// What a client that takes its requests back costs the proxy's loop, beside one that waits for its answers (CVE-2023-44487).
#include <gtest/gtest.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <string>
#include <vector>

#include "core/http/sync.h"
#include "tests/unit/activator/proxy/proxy_fixture.h"
#include "tests/unit/core/http/raw_http2.h"

namespace updraft::activator {
namespace {

using http::Frame;
using http::RawHttp2;

constexpr uint32_t kStreams = 900;  // within what a connection may reset at once
constexpr uint32_t kAtOnce = 90;
constexpr size_t kRounds = 9;

std::string TakenBack(uint32_t stream) { return Frame(NGHTTP2_RST_STREAM, 0, stream, http::Number(NGHTTP2_CANCEL, 4)); }

// Answers, but for "/never".
http::Task<void> AnswerMost(http::Exchange& exchange, std::atomic<uint32_t>* begun) {
  ++*begun;
  if (exchange.request().path() == "/never") {
    http::Signal gone(exchange.loop());
    exchange.OnClientGone([&gone] { gone.Notify(); });
    co_await gone.Wait();
    co_return;
  }
  (void)co_await exchange.Respond(200, http::Headers(), "ok");
}

class ResetCostTest : public testing::Test {
 protected:
  ResetCostTest() : instance_([this](http::Exchange& exchange) { return AnswerMost(exchange, &begun_); }) {
    proxy_.SetPorts({instance_.port()});
  }

  // The loop's processor time so far.
  Nanos Spent() {
    timespec spent{};
    http::RunOn(proxy_.loop(), [&spent] { clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent); });
    return Seconds(spent.tv_sec) + Nanos(spent.tv_nsec);
  }
  // Of one connection that is there already, for each of its streams.
  template <typename Act>
  double Measure(Act act) {
    RawHttp2 client(proxy_.port());
    client.Ping();
    const Nanos before = Spent();
    act(client);
    client.Ping();
    return static_cast<double>((Spent() - before).count()) / kStreams;
  }

  static std::string Requests(uint32_t from, const std::string& path, bool taken_back) {
    std::string frames;
    for (uint32_t i = from; i < from + kAtOnce; ++i) {
      frames += http::HeadersFrame(2 * i + 1, http::RequestFields("GET", path));
      if (taken_back) frames += TakenBack(2 * i + 1);
    }
    return frames;
  }
  static void AskAndWait(RawHttp2& client) {
    for (uint32_t from = 0; from < kStreams; from += kAtOnce) {
      client.Send(Requests(from, "/", false));
      client.ReadUntil([from](const http::Seen& seen) { return seen.ended.size() == from + kAtOnce; });
    }
  }
  static void TakeBackAtOnce(RawHttp2& client) {
    for (uint32_t from = 0; from < kStreams; from += kAtOnce) client.Send(Requests(from, "/", true));
  }
  // Once the instance has them.
  void TakeBackLater(RawHttp2& client) {
    for (uint32_t from = 0; from < kStreams; from += kAtOnce) {
      const uint32_t before = begun_;
      client.Send(Requests(from, "/never", false));
      while (begun_ < before + kAtOnce) poll(nullptr, 0, 1);
      std::string resets;
      for (uint32_t i = from; i < from + kAtOnce; ++i) resets += TakenBack(2 * i + 1);
      client.Send(resets);
    }
  }

  std::atomic<uint32_t> begun_ = 0;
  http::TestServer instance_;
  ProxyFixture proxy_;
};

double MiddleOf(std::array<double, kRounds> values) {
  std::ranges::sort(values);
  return values[kRounds / 2];
}

// In turn, so that whatever else the machine does is shared out among them.
TEST_F(ResetCostTest, ARequestThatIsTakenBackCostsLessThanOneThatIsAnswered) {
  std::array<double, kRounds> answered{};
  std::array<double, kRounds> at_once{};
  std::array<double, kRounds> later{};
  Measure(AskAndWait);
  for (size_t round = 0; round < kRounds; ++round) {
    answered[round] = Measure(AskAndWait);
    at_once[round] = Measure(TakeBackAtOnce);
    later[round] = Measure([this](RawHttp2& client) { TakeBackLater(client); });
  }
  // The last: a connection to the instance is lost with each, and another one made. No client has many of those.
  std::printf("answered: %.1f us, taken back at once: %.1f us, once the instance has it: %.1f us\n",
              MiddleOf(answered) / 1000, MiddleOf(at_once) / 1000, MiddleOf(later) / 1000);
  EXPECT_LT(MiddleOf(at_once), MiddleOf(answered));

  // A hundred thousand that the instance has had time to see, as many as the connection lives for.
  RawHttp2 client(proxy_.port());
  client.Ping();
  const uint32_t begun_before = begun_;
  const Nanos before = Spent();
  uint32_t sent = 0;
  while (sent < 100'000) {
    if (!client.Send(Requests(sent, "/never", false))) break;
    std::string resets;
    for (uint32_t i = sent; i < sent + kAtOnce; ++i) resets += TakenBack(2 * i + 1);
    if (!client.Send(resets)) break;
    sent += kAtOnce;
  }
  client.ReadUntil([](const http::Seen&) { return false; });
  EXPECT_TRUE(client.client().closed());
  const double each = static_cast<double>((Spent() - before).count()) / sent;
  std::printf("%u in a row: %.1f us each; %u of them began at the instance\n", sent, each / 1000, begun_ - begun_before);
  EXPECT_LT(each, MiddleOf(answered));
  EXPECT_LT(begun_ - begun_before, 1200u);
}

}  // namespace
}  // namespace updraft::activator
