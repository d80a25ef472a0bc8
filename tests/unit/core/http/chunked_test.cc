#include "core/http/chunked.h"

#include <gtest/gtest.h>

namespace updraft::http {
namespace {

struct Outcome {
  std::string body;
  std::string rest;  // what follows the body
  bool done = false;
  bool refused = false;
};

Outcome Decode(std::string bytes, size_t step) {
  Outcome outcome;
  ChunkDecoder decoder;
  size_t at = 0;
  while (at < bytes.size() && !decoder.done() && !decoder.refusal()) {
    const size_t size = std::min(step, bytes.size() - at);
    const ChunkDecoder::Decoded decoded = decoder.Decode({bytes.data() + at, size});
    outcome.body += decoded.body;
    at += decoded.consumed;
    if (decoder.refusal()) break;
    if (!decoder.done()) {
      EXPECT_EQ(decoded.consumed, size);
    }
  }
  outcome.done = decoder.done();
  outcome.refused = static_cast<bool>(decoder.refusal());
  outcome.rest = bytes.substr(at);
  return outcome;
}

TEST(ChunkDecoderTest, PutsTheBodyTogetherHoweverItIsCut) {
  const std::string bytes =
      "3\r\nabc\r\nA;name=\"v \\\"\";b;c=d\r\n0123456789\r\n00f\r\nfifteen letters\r\n0\r\nX-Sum: "
      "1\r\n\r\nGET /";
  for (size_t step = 1; step <= bytes.size(); ++step) {
    const Outcome outcome = Decode(bytes, step);
    EXPECT_TRUE(outcome.done) << step;
    EXPECT_EQ(outcome.body, "abc0123456789fifteen letters") << step;
    EXPECT_EQ(outcome.rest, "GET /") << step;
  }
}

TEST(ChunkDecoderTest, KeepsTrailers) {
  ChunkDecoder decoder;
  std::string bytes = "0\r\nX-Sum: 1\r\nX-Other: 2\r\n\r\n";
  decoder.Decode({bytes.data(), bytes.size()});
  ASSERT_TRUE(decoder.done());
  EXPECT_EQ(decoder.trailers().Get("x-sum"), "1");
  EXPECT_EQ(decoder.trailers().size(), 2u);
}

TEST(ChunkDecoderTest, RefusesWhatCouldBeReadInTwoWays) {
  const std::vector<std::string> bad = {
      "\r\n",   // no size
      "g\r\n",  // no digit
      "-1\r\n",
      "+1\r\n",
      "0x1\r\n",
      " 1\r\na\r\n",
      "1 \r\na\r\n",
      "1\na\r\n",  // bare line feed
      "1\ra\r\n",
      "1\r\nab\r\n",  // longer than its size
      "1\r\na\n",
      "2\r\na\r\n0\r\n\r\n",  // shorter
      "1\r\na0\r\n\r\n",      // no line end after it
      "1;ext\n\r\na\r\n",
      "1;\r\na\r\n",
      "1; ext\r\na\r\n",
      "1;ext \r\na\r\n",
      "1;=v\r\na\r\n",
      "1;ext=\r\na\r\n",
      "1;ext=a=b\r\na\r\n",
      "1;ext=\"v\r\na\r\n",
      "1;ext=\"v\"w\r\na\r\n",
      "1;ext\x01\r\na\r\n",
      "1000000000000000\r\n",  // 2^60
      "ffffffffffffffffff\r\n",
      "0\r\nContent-Length: 3\r\n\r\n",
      "0\r\nTransfer-Encoding: chunked\r\n\r\n",
      "0\r\nHost: h\r\n\r\n",
      "0\r\nBad Name: h\r\n\r\n",
      "0\r\nX: a\nY: b\r\n\r\n",
      "0\r\nX: " + std::string(9000, 'a') + "\r\n\r\n",
      "1;" + std::string(5000, 'x') + "\r\na\r\n",
  };
  for (const std::string& bytes : bad) {
    for (const size_t step : {bytes.size(), size_t{1}}) {
      const Outcome outcome = Decode(bytes, step);
      EXPECT_TRUE(outcome.refused) << bytes.substr(0, 40) << " in steps of " << step;
      EXPECT_FALSE(outcome.done) << bytes.substr(0, 40);
    }
  }
}

TEST(ChunkLineTest, IsTheSizeInHexadecimal) {
  EXPECT_EQ(ChunkLine(1).text(), "1\r\n");
  EXPECT_EQ(ChunkLine(255).text(), "ff\r\n");
  EXPECT_EQ(ChunkLine(UINT64_MAX).text(), "ffffffffffffffff\r\n");
}

}  // namespace
}  // namespace updraft::http
