#include "core/http/parser.h"

#include <gtest/gtest.h>

#include "tests/unit/core/http/head_vectors.h"

namespace updraft::http {
namespace {

// Takes a head that comes in pieces as long as `step`, as a connection does.
Refusal Read(const std::string& bytes, size_t step, RequestHead& head, Framing& framing) {
  HeadScanner scanner;
  for (size_t end = std::min(step, bytes.size());; end = std::min(end + step, bytes.size())) {
    const size_t size = scanner.Scan(std::string_view(bytes).substr(0, end));
    if (size > 0) return ParseRequestHead(std::string_view(bytes).substr(0, size), head, framing);
    if (scanner.refusal()) return scanner.refusal();
    if (end == bytes.size()) return {-1, "not whole"};
  }
}

class HeadVectorTest : public testing::TestWithParam<HeadVector> {};

TEST_P(HeadVectorTest, IsJudgedTheSameHoweverItIsCut) {
  const HeadVector& vector = GetParam();
  for (const size_t step : {vector.bytes.size(), size_t{1}, size_t{2}, size_t{3}, size_t{7}}) {
    RequestHead head;
    Framing framing;
    const Refusal refusal = Read(vector.bytes, step, head, framing);
    EXPECT_EQ(refusal.status, vector.status) << "in steps of " << step << ": " << refusal.reason;
  }
}

INSTANTIATE_TEST_SUITE_P(Table, HeadVectorTest, testing::ValuesIn(HeadVectors()),
                         [](const auto& test) { return test.param.name; });

TEST(RequestHeadTest, HasWhatWasSent) {
  const std::string bytes =
      "POST /a%20b?x=1&y HTTP/1.1\r\nHost: Example.org:80\r\nX-One:  spaced \r\nx-one: "
      "again\r\nContent-Length: 7\r\n\r\n";
  RequestHead head;
  Framing framing;
  ASSERT_FALSE(ParseRequestHead(bytes, head, framing));
  EXPECT_EQ(head.method, "POST");
  EXPECT_EQ(head.target, "/a%20b?x=1&y");
  EXPECT_EQ(head.path(), "/a%20b");
  EXPECT_EQ(head.query(), "x=1&y");
  EXPECT_EQ(head.host(), "Example.org:80");
  EXPECT_EQ(head.headers.Get("X-ONE"), "spaced");
  EXPECT_EQ(head.headers.size(), 4u);
  EXPECT_EQ(framing.body, BodyFraming::kLength);
  EXPECT_EQ(framing.length, 7u);
  EXPECT_TRUE(framing.keep_alive);
}

TEST(RequestHeadTest, TheTargetsHostWinsAndAnEmptyPathIsARoot) {
  RequestHead head;
  Framing framing;
  ASSERT_FALSE(
      ParseRequestHead("GET http://h:81?q=/x HTTP/1.1\r\nHost: h:81\r\n\r\n", head, framing));
  EXPECT_EQ(head.host(), "h:81");
  EXPECT_EQ(head.path(), "/");
  EXPECT_EQ(head.query(), "q=/x");
}

struct KeepAliveCase {
  std::string version;
  std::string connection;
  bool keep_alive = false;
  bool upgrade = false;
};

TEST(RequestHeadTest, ConnectionDecidesWhatComesNext) {
  const std::vector<KeepAliveCase> cases = {
      {"1.1", "", true, false},
      {"1.1", "Connection: close\r\n", false, false},
      {"1.1", "Connection: x, Close\r\n", false, false},
      {"1.0", "", false, false},
      {"1.0", "Connection: Keep-Alive\r\n", true, false},
      {"1.0", "Connection: keep-alive, close\r\n", false, false},
      {"1.1", "Connection: Upgrade\r\nUpgrade: websocket\r\n", true, true},
      {"1.1", "Upgrade: websocket\r\n", true, false},
      {"1.1", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n", true, false},
      {"1.1", "Connection: Upgrade\r\nUpgrade: websocket, H2C\r\n", true, false},
      {"1.0", "Connection: Upgrade\r\nUpgrade: websocket\r\n", false, false}};
  for (const KeepAliveCase& c : cases) {
    RequestHead head;
    Framing framing;
    ASSERT_FALSE(ParseRequestHead(
        "GET / HTTP/" + c.version + "\r\nHost: h\r\n" + c.connection + "\r\n", head, framing));
    EXPECT_EQ(framing.keep_alive, c.keep_alive) << c.version << " " << c.connection;
    EXPECT_EQ(framing.upgrade, c.upgrade) << c.version << " " << c.connection;
  }
}

struct ResponseCase {
  std::string name;
  std::string head;
  std::string method = "GET";
  int refused = 0;
  BodyFraming body = BodyFraming::kNone;
  uint64_t length = 0;
  bool keep_alive = true;
};

class ResponseHeadTest : public testing::TestWithParam<ResponseCase> {};

TEST_P(ResponseHeadTest, FramesItsBody) {
  const ResponseCase& c = GetParam();
  ResponseHead head;
  Framing framing;
  const Refusal refusal = ParseResponseHead(c.head + "\r\n", c.method, head, framing);
  EXPECT_EQ(refusal.status, c.refused) << refusal.reason;
  if (c.refused != 0) return;
  EXPECT_EQ(framing.body, c.body);
  EXPECT_EQ(framing.length, c.length);
  EXPECT_EQ(framing.keep_alive, c.keep_alive);
}

INSTANTIATE_TEST_SUITE_P(
    Table, ResponseHeadTest,
    testing::ValuesIn(std::vector<ResponseCase>{
        {"Length", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n", "GET", 0, BodyFraming::kLength, 3},
        {"NoReason", "HTTP/1.1 200\r\nContent-Length: 0\r\n", "GET", 0, BodyFraming::kLength, 0},
        {"Chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n", "GET", 0,
         BodyFraming::kChunked},
        {"UntilClose", "HTTP/1.1 200 OK\r\n", "GET", 0, BodyFraming::kUntilClose, 0, false},
        {"Old", "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n", "GET", 0, BodyFraming::kLength, 3,
         false},
        {"OldKept", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 3\r\n", "GET", 0,
         BodyFraming::kLength, 3},
        {"Closing", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\n", "GET", 0,
         BodyFraming::kLength, 3, false},
        {"ToHead", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n", "HEAD", 0, BodyFraming::kNone, 3},
        {"NoContent", "HTTP/1.1 204 No Content\r\n"},
        {"NotModified", "HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\n", "GET", 0,
         BodyFraming::kNone, 1000},
        {"Continue", "HTTP/1.1 100 Continue\r\n"},
        {"LengthAndChunked",
         "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n", "GET", 502},
        {"TwoLengths", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n", "GET", 502},
        {"OtherEncoding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n", "GET", 502},
        {"OldChunked", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n", "GET", 502},
        {"OldInterim", "HTTP/1.0 103 Early Hints\r\n", "GET", 502},
        {"ChunkedInterim", "HTTP/1.1 103 Early Hints\r\nTransfer-Encoding: chunked\r\n", "GET", 502},
        {"ChunkedNoContent", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n", "GET", 502},
        {"ChunkedToHead", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n", "HEAD"},
        {"VersionTwo", "HTTP/2 200 OK\r\n", "GET", 502},
        {"StatusInWords", "HTTP/1.1 two OK\r\n", "GET", 502},
        {"StatusTooSmall", "HTTP/1.1 099 OK\r\n", "GET", 502},
        {"StatusTooLong", "HTTP/1.1 2000 OK\r\n", "GET", 502},
        {"Folded", "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n", "GET", 502},
        {"NotHttp", "SSH-2.0-OpenSSH\r\n", "GET", 502},
    }),
    [](const auto& test) { return test.param.name; });

TEST(TrailersTest, MayNotChangeTheMessage) {
  Headers headers;
  EXPECT_FALSE(ParseTrailers("X-Sum: 1\r\n\r\n", headers));
  EXPECT_EQ(headers.Get("x-sum"), "1");
  for (const char* text :
       {"Content-Length: 1\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n", "Host: h\r\n\r\n"}) {
    EXPECT_EQ(ParseTrailers(text, headers).status, 400) << text;
  }
}

}  // namespace
}  // namespace updraft::http
