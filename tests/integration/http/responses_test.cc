// What instances may answer, and what a client gets of it: nothing that could be taken for another
// answer.
#include <gtest/gtest.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>

#include "tests/integration/http/wire.h"

namespace updraft::activator {
namespace {

using namespace std::string_literals;

constexpr const char* kHead = "HTTP/1.1 200 OK\r\n";
constexpr const char* kChunkedHead = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

enum class Fate {
  kRefused,   // the client gets a 502 and nothing of it
  kCut,       // the client gets what came and knows that it is not whole
  kAnswered,  // the client gets the answer; the connection to the instance is of no further use
};

struct ResponseVector {
  std::string name;
  std::string bytes;
  Fate fate = Fate::kRefused;
  std::string request = kGet;
  std::string later = {};  // sent when the client has something of the answer
};

std::string Fields(const std::string& fields) { return kHead + fields + "\r\nsecret"; }

// NOLINTNEXTLINE(readability-function-size): a table
std::vector<ResponseVector> ResponseVectors() {
  const std::string head = "HEAD /x HTTP/1.1\r\nHost: app.test\r\n\r\n";
  const std::string chunked = kChunkedHead;
  std::string flood;
  for (int i = 0; i < 100; ++i) flood += "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
  return {
      // How long is the body?
      {"LengthAndChunked", Fields("Content-Length: 6\r\nTransfer-Encoding: chunked\r\n")},
      {"ChunkedAndLength", Fields("Transfer-Encoding: chunked\r\nContent-Length: 6\r\n")},
      {"TwoLengths", Fields("Content-Length: 6\r\nContent-Length: 7\r\n")},
      {"TwoEqualLengths", Fields("Content-Length: 6\r\nContent-Length: 6\r\n")},
      {"LengthList", Fields("Content-Length: 6, 6\r\n")},
      {"LengthNegative", Fields("Content-Length: -6\r\n")},
      {"LengthOverflows", Fields("Content-Length: 18446744073709551622\r\n")},
      {"EncodingGzip", Fields("Transfer-Encoding: gzip\r\n")},
      {"EncodingTwice", Fields("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")},
      {"EncodingInOld", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nsecret"},
      {"EncodingWithoutBody",
       "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\nsecret"},
      // Where does a line end, and what may stand in a field?
      {"BareLineFeeds", "HTTP/1.1 200 OK\nContent-Length: 6\n\nsecret"},
      {"Folded", Fields("X: a\r\n b\r\n")},
      {"NulInValue", Fields("X: a\0b\r\n"s)},
      {"NoColon", Fields("Gibberish\r\n")},
      {"SpaceBeforeColon", Fields("Content-Length : 6\r\n")},
      // What is its first line?
      {"Nothing", ""},
      {"HalfAHead", "HTTP/1.1 200 OK\r\nContent-"},
      {"NotHttp", "SSH-2.0-OpenSSH\r\n\r\n"},
      {"VersionTwo", "HTTP/2 200 OK\r\n\r\nsecret"},
      {"StatusInWords", "HTTP/1.1 OK OK\r\n\r\nsecret"},
      {"StatusTooSmall", "HTTP/1.1 099 OK\r\n\r\nsecret"},
      {"StatusTooLarge", "HTTP/1.1 600 OK\r\n\r\nsecret"},
      {"NulInReason", "HTTP/1.1 200 O\0K\r\n\r\nsecret"s},
      // What was not asked for.
      {"SwitchUnasked",
       "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nsecret"},
      {"InterimFlood", flood + "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret"},
      {"InterimInOld", "HTTP/1.0 100 Continue\r\n\r\nHTTP/1.0 200 OK\r\n\r\nsecret"},
      {"InterimWithEncoding",
       "HTTP/1.1 103 Early Hints\r\nTransfer-Encoding: chunked\r\n\r\n" + Fields("")},
      {"HeadTooLarge", Fields("X: " + std::string(65 << 10, 'a') + "\r\n")},
      {"TooManyFields", Fields([] {
         std::string fields;
         for (int i = 0; i < 101; ++i) fields += "X-" + std::to_string(i) + ": v\r\n";
         return fields;
       }())},
      // Chunks that are none, with the head and after it.
      {"BadFirstChunk", chunked + "xyz\r\nsecret"},
      {"ChunkSizeSigned", chunked + "+6\r\nsecret\r\n0\r\n\r\n"},
      {"ChunkSizeOverflows", chunked + "10000000000000006\r\nsecret\r\n0\r\n\r\n"},
      {"ChunkSizeBareLineFeed", chunked + "6\nsecret\r\n0\r\n\r\n"},
      {"BadLaterChunk", chunked + "3\r\nabc\r\n", Fate::kCut, kGet, "xyz\r\n"},
      {"ChunkTooLong", chunked + "3\r\nabc", Fate::kCut, kGet, "d\r\n0\r\n\r\n"},
      {"ChunksEndEarly", chunked + "5\r\nshort\r\n", Fate::kCut},
      {"ChunkEndsEarly", chunked + "50\r\nshort", Fate::kCut},
      {"TrailerSaysLength", chunked + "3\r\nabc\r\n", Fate::kCut, kGet,
       "0\r\nContent-Length: 3\r\n\r\n"},
      {"TrailerWithoutEnd", chunked + "3\r\nabc\r\n0\r\nX: y\r\n", Fate::kCut},
      {"LengthEndsEarly", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", Fate::kCut},
      // Answers with something behind them.
      {"MoreThanItsLength", std::string(kOk) + "secret", Fate::kAnswered},
      {"AnotherResponse", std::string(kOk) + Fields("Content-Length: 6\r\n"), Fate::kAnswered},
      {"BehindLastChunk", chunked + "2\r\nok\r\n0\r\n\r\nsecret", Fate::kAnswered},
      {"BodyToHead", "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret", Fate::kAnswered, head},
      {"ChunksToHead", chunked + "6\r\nsecret\r\n0\r\n\r\n", Fate::kAnswered, head},
      {"BodyOf204", "HTTP/1.1 204 No Content\r\nContent-Length: 6\r\n\r\nsecret", Fate::kAnswered},
      {"BodyOf304", "HTTP/1.1 304 Not Modified\r\nContent-Length: 6\r\n\r\nsecret",
       Fate::kAnswered},
  };
}

// So that a failure names the vector.
void PrintTo(const ResponseVector& vector, std::ostream* out) { *out << vector.name; }

class ResponseVectorTest : public testing::TestWithParam<ResponseVector> {};

// The answer to `vector` as the client sees it, and whether it is told that it is not whole.
void CheckFate(const ResponseVector& vector, const std::string& all) {
  EXPECT_FALSE(Has(all, "secret")) << all;
  const size_t final_head = all.rfind("HTTP/1.1 ");
  ASSERT_NE(final_head, std::string::npos);
  const std::string answer = all.substr(final_head);
  switch (vector.fate) {
    case Fate::kRefused:
      EXPECT_TRUE(answer.starts_with("HTTP/1.1 502 Bad Gateway\r\n")) << all;
      EXPECT_TRUE(BodyOf(answer).starts_with("activator got no response: instance i-")) << all;
      break;
    case Fate::kCut:
      EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << all;
      EXPECT_TRUE(Has(answer, "Content-Length: 10\r\n") || Has(answer, "chunked\r\n")) << all;
      EXPECT_FALSE(Has(answer, "\r\n0\r\n")) << all;
      break;
    case Fate::kAnswered:
      EXPECT_FALSE(answer.starts_with("HTTP/1.1 5")) << all;
      break;
  }
}

TEST_P(ResponseVectorTest, NeverBecomesAnotherAnswer) {
  const ResponseVector& vector = GetParam();
  Wire wire;
  RawClient instance = wire.Take(vector.request);
  instance.Send(vector.bytes);
  if (vector.fate == Fate::kAnswered) {
    // The next request of the same client must not meet what lies behind.
    const std::string answer = wire.client().ReadUntil("\r\n\r\n");
    CheckFate(vector, answer);
    if (Has(answer, "Content-Length: 2\r\n")) {
      EXPECT_EQ(wire.client().ReadExactly(2), "ok");
    }
    if (Has(answer, "chunked\r\n") && vector.request == kGet) {
      EXPECT_EQ(wire.client().ReadUntil("0\r\n\r\n"), "2\r\nok\r\n0\r\n\r\n");
    }
  } else {
    std::string begun;
    if (!vector.later.empty()) begun = wire.client().ReadUntil("\r\n\r\n");
    instance.Send(vector.later);
    instance.FinishWriting();
    if (vector.fate == Fate::kCut) {
      CheckFate(vector, begun + wire.client().ReadAll());
      EXPECT_TRUE(wire.client().closed());
      return;
    }
    std::string all;
    do {
      all += wire.client().ReadResponse();
    } while (Has(all, "HTTP/1.1 103 ") && !Has(all, "HTTP/1.1 502 "));
    CheckFate(vector, all);
  }
  RawClient fresh = wire.Take(kGet);
  EXPECT_EQ(instance.ReadAll(), "") << "another request went to it";
  fresh.Send(kOk);
  EXPECT_EQ(BodyOf(wire.client().ReadResponse()), "ok");
}

INSTANTIATE_TEST_SUITE_P(Table, ResponseVectorTest, testing::ValuesIn(ResponseVectors()),
                         [](const auto& test) { return test.param.name; });

// ---- what comes on a connection that waits for its next request

// After an answer of so many bytes: long ones are read in another way.
class StaleResponseTest : public testing::TestWithParam<size_t> {};

TEST_P(StaleResponseTest, OnAnIdleConnectionIsNobodysAnswer) {
  Wire wire;
  RawClient instance = wire.Take(kGet);
  instance.Send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(GetParam()) + "\r\n\r\n" +
                std::string(GetParam(), 'b'));
  wire.client().ReadResponse();
  wire.WaitUntilIdle();
  instance.Send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged");
  // It has come once the kernel says that the other side has it.
  int unsent = 1;
  while (unsent > 0) ioctl(instance.fd(), SIOCOUTQ, &unsent);
  RawClient fresh = wire.Take(kGet);
  ASSERT_TRUE(fresh.connected());
  fresh.Send(kOk);
  EXPECT_EQ(BodyOf(wire.client().ReadResponse()), "ok");
}

INSTANTIATE_TEST_SUITE_P(Behind, StaleResponseTest, testing::Values(2, 100'000));

// ---- responses without a body

TEST(BodilessTest, TheNextPipelinedAnswerIsIntact) {
  for (const char* response :
       {"HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 204 No Content\r\nContent-Length: 1000\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\n\r\n"}) {
    Wire wire;
    RawClient instance = wire.Take(std::string(kGet) + kGet);
    instance.Send(response);
    const std::string first = wire.client().ReadUntil("\r\n\r\n");
    // A client may wait for a body behind a 204 that states a length.
    EXPECT_EQ(Has(first, "Content-Length"), Has(response, "304")) << first;
    EXPECT_EQ(instance.ReadUntil("\r\n\r\n").substr(0, 7), "GET /x ");
    instance.Send(kOk);
    EXPECT_EQ(BodyOf(wire.client().ReadResponse()), "ok");
  }
  Wire wire;
  RawClient instance = wire.Take("HEAD / HTTP/1.1\r\nHost: app.test\r\n\r\n"s + kGet);
  instance.Send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
  EXPECT_TRUE(Has(wire.client().ReadUntil("\r\n\r\n"), "Content-Length: 1000\r\n"));
  EXPECT_EQ(instance.ReadUntil("\r\n\r\n").substr(0, 7), "GET /x ");
  instance.Send(kOk);
  EXPECT_EQ(BodyOf(wire.client().ReadResponse()), "ok");
}

// ---- HTTP/1.0

TEST(OldClientTest, StaysOnlyWhenItAsksTo) {
  Wire wire;
  RawClient instance =
      wire.Take("GET / HTTP/1.0\r\nHost: app.test\r\nConnection: keep-alive\r\n\r\n");
  instance.Send(kOk);
  const std::string kept = wire.client().ReadResponse();
  EXPECT_TRUE(Has(kept, "\r\nConnection: keep-alive\r\n")) << kept;
  wire.client().Send("GET / HTTP/1.0\r\nHost: app.test\r\n\r\n");
  instance.ReadUntil("\r\n\r\n");
  instance.Send(kOk);
  EXPECT_TRUE(wire.client().ReadAll().ends_with("\r\n\r\nok"));
  EXPECT_TRUE(wire.client().closed());
}

TEST(OldClientTest, GetsNoChunksAndNoInterimResponses) {
  Wire wire;
  const std::string all =
      wire.Through("GET / HTTP/1.0\r\nHost: app.test\r\nConnection: keep-alive\r\n\r\n",
                   "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n"s + kChunkedHead +
                       "3\r\nabc\r\n2\r\nde\r\n0\r\nX: y\r\n\r\n");
  EXPECT_TRUE(all.starts_with("HTTP/1.1 200 OK\r\n")) << all;
  EXPECT_EQ(BodyOf(all), "abcde");
  EXPECT_FALSE(Has(all, "chunked")) << all;
}

TEST(OldClientTest, KnowsABrokenStreamByItsReset) {
  Wire wire;
  RawClient instance = wire.Take("GET / HTTP/1.0\r\nHost: app.test\r\n\r\n");
  instance.Send(kChunkedHead + "3\r\nabc\r\n"s);
  EXPECT_EQ(BodyOf(wire.client().ReadUntil("abc")), "abc");
  instance.Reset();
  wire.client().ReadAll();
  EXPECT_TRUE(wire.client().was_reset());
}

TEST(OldInstanceTest, ABodyUntilTheEndIsFramedAndAResetIsNoEnd) {
  {
    Wire wire;
    EXPECT_EQ(BodyOf(wire.Through(kGet, "HTTP/1.0 200 OK\r\n\r\nuntil the end")),
              "d\r\nuntil the end\r\n0\r\n\r\n");
  }
  Wire wire;
  RawClient instance = wire.Take(kGet);
  instance.Send("HTTP/1.0 200 OK\r\n\r\nuntil");
  wire.client().ReadUntil("until\r\n");
  instance.Reset();
  EXPECT_EQ(wire.client().ReadAll(), "");  // no last chunk
  EXPECT_TRUE(wire.client().closed());
}

// ---- resets in the middle

TEST(ResetTest, InTheMiddleOfABodyIsNeverACleanEnd) {
  for (const std::string& head :
       {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"s, kChunkedHead + "64\r\n"s}) {
    Wire wire;
    RawClient instance = wire.Take(kGet);
    instance.Send(head + "part");
    const std::string part = wire.client().ReadUntil("part");
    instance.Reset();
    const std::string rest = wire.client().ReadAll();
    EXPECT_TRUE(wire.client().closed());
    EXPECT_FALSE(Has(part + rest, "\r\n0\r\n")) << part << rest;
    EXPECT_FALSE(Has(rest, "HTTP/1.1")) << rest;
    wire.WaitUntilIdle();
  }
}

TEST(ResetTest, BeforeTheResponseIsA502) {
  Wire wire;
  RawClient instance = wire.Take(kGet);
  instance.Reset();
  EXPECT_TRUE(wire.client().ReadResponse().starts_with("HTTP/1.1 502 "));
  wire.WaitUntilIdle();
}

// ---- interim responses

TEST(InterimTest, IsPassedOnWithoutWhatIsNotItsOwn) {
  Wire wire;
  const std::string all = wire.Through(
      kGet,
      "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nContent-Length: 9\r\nConnection: X-Hop\r\nX-Hop: 1\r\n\r\n"s +
          kOk);
  EXPECT_TRUE(all.starts_with("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\n"))
      << all;
}

}  // namespace
}  // namespace updraft::activator
