#include "core/http/message.h"

#include <gtest/gtest.h>

#include "core/http/bytes.h"
#include "core/http/date.h"
#include "core/http/head_writer.h"
#include "core/http/parser.h"

namespace updraft::http {
namespace {

std::string Lines(const Headers& headers) {
  HeadBuffer buffer;
  HeadWriter out(buffer);
  out.Fields(headers, [](const Header&) { return true; });
  return std::string(out.written());
}

TEST(HeadersTest, CompareWithoutCaseAndKeepTheirOrder) {
  Headers headers{{"Content-Type", "a"}, {"X-A", "1"}};
  headers.Add("x-a", "2");
  EXPECT_EQ(headers.Get("content-type"), "a");
  EXPECT_EQ(headers.Get("X-a"), "1");
  EXPECT_EQ(Lines(headers), "Content-Type: a\r\nX-A: 1\r\nx-a: 2\r\n");
  headers.Set("X-A", "3");
  EXPECT_EQ(Lines(headers), "Content-Type: a\r\nX-A: 3\r\n");
  headers.Remove("CONTENT-TYPE");
  EXPECT_EQ(Lines(headers), "X-A: 3\r\n");
  EXPECT_FALSE(headers.Has("content-type"));
}

TEST(HeadersTest, ParsedFieldsAreWrittenAsTheyCameWithoutThoseThatWereTakenOut) {
  RequestHead head;
  Framing framing;
  ASSERT_FALSE(ParseRequestHead(
      "GET / HTTP/1.1\r\nHost: h\r\nA:1\r\nB:  2 \r\nC: 3\r\nD: 4\r\n\r\n", head, framing));
  EXPECT_EQ(Lines(head.headers), "Host: h\r\nA:1\r\nB:  2\r\nC: 3\r\nD: 4\r\n");
  head.headers.RemoveIf(
      [](const NamedHeader& header) { return header.name == "C" || header.name == "Host"; });
  head.headers.Add("E", "5");
  head.headers.Add("F", "6");
  EXPECT_EQ(Lines(head.headers), "A:1\r\nB:  2\r\nD: 4\r\nE: 5\r\nF: 6\r\n");
}

TEST(HeadersTest, KnowTheNamesThatMatterInAnyCase) {
  const std::vector<std::pair<std::string, FieldName>> names = {
      {"Connection", FieldName::kConnection},
      {"content-LENGTH", FieldName::kContentLength},
      {"date", FieldName::kDate},
      {"Expect", FieldName::kExpect},
      {"HOST", FieldName::kHost},
      {"Keep-Alive", FieldName::kKeepAlive},
      {"proxy-connection", FieldName::kProxyConnection},
      {"TE", FieldName::kTe},
      {"Transfer-Encoding", FieldName::kTransferEncoding},
      {"upgrade", FieldName::kUpgrade},
      {"Content-Type", FieldName::kOther},
      {"X-Host", FieldName::kOther},
      {"", FieldName::kOther}};
  for (const auto& [name, known] : names) {
    Headers added;
    EXPECT_FALSE(added.MayHave(In(known))) << name;
    added.Add(name, "value");
    EXPECT_EQ(added.at(0).known, known) << name;
    EXPECT_TRUE(added.MayHave(In(known))) << name;
    EXPECT_FALSE(added.MayHave(~In(known))) << name;
    EXPECT_EQ(added.Get(known), "value") << name;
    added.Clear();
    EXPECT_FALSE(added.MayHave(In(known))) << name;
    EXPECT_EQ(added.Get(known), std::nullopt) << name;
  }
  RequestHead head;
  Framing framing;
  ASSERT_FALSE(ParseRequestHead("GET / HTTP/1.1\r\nA: b\r\nhost: h\r\nTE: trailers\r\n\r\n", head, framing));
  EXPECT_EQ(head.headers.Get(FieldName::kHost), "h");
  EXPECT_TRUE(head.headers.MayHave(In(FieldName::kTe)));
  EXPECT_FALSE(head.headers.MayHave(In(FieldName::kConnection) | In(FieldName::kDate)));
}

TEST(HeadersTest, FindTokensInLists) {
  const Headers headers{{"Connection", "x, Upgrade ,y"}, {"connection", "z"}};
  EXPECT_TRUE(headers.HasToken("connection", "upgrade"));
  EXPECT_TRUE(headers.HasToken("connection", "z"));
  EXPECT_FALSE(headers.HasToken("connection", "upgrad"));
  EXPECT_FALSE(headers.HasToken("other", "z"));
}

TEST(NameIsTest, IsEqualityWithoutCase) {
  EXPECT_TRUE(NameIs("Content-Length", "content-length"));
  EXPECT_TRUE(NameIs("CONTENT-LENGTH", "content-length"));
  EXPECT_FALSE(NameIs("Content-Lengti", "content-length"));
  EXPECT_FALSE(NameIs("Content_Length", "content-length"));
  EXPECT_FALSE(NameIs("Content-Lengths", "content-length"));
}

// For every byte: names that differ from a known one in that byte alone are not taken for it.
TEST(NameIsTest, AgreesWithEqualsIgnoreCaseForAllNames) {
  for (int c = 0; c < 256; ++c) {
    if (!IsByte(static_cast<char>(c), kTokenByte)) continue;
    const std::string name = std::string("x-") + static_cast<char>(c) + "1";
    EXPECT_EQ(NameIs(name, "x-a1"), EqualsIgnoreCase(name, "x-a1")) << c;
    EXPECT_EQ(NameIs(name, "x--1"), EqualsIgnoreCase(name, "x--1")) << c;
    EXPECT_EQ(NameIs(name, "x-01"), EqualsIgnoreCase(name, "x-01")) << c;
  }
}

TEST(BytesTest, EightAtATimeAreJudgedAsOneByOne) {
  for (int c = 0; c < 256; ++c) {
    for (size_t at = 0; at < 20; ++at) {
      std::string text(20, 'v');
      text[at] = static_cast<char>(c);
      ASSERT_EQ(SpanOfValue(text, 0), SpanOf(text, 0, kValueByte)) << c << " at " << at;
    }
  }
}

TEST(PercentTest, DecodesOrSaysWhyNot) {
  EXPECT_EQ(*PercentDecode("a%20b%2Fc"), "a b/c");
  EXPECT_EQ(*PercentDecode(""), "");
  for (const char* bad : {"%", "%1", "%zz", "a%2"}) EXPECT_FALSE(PercentDecode(bad)) << bad;
}

TEST(QueryTest, GivesDecodedPairs) {
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(ParseQuery("a=1&b=x+y%21&&c&=d&e=f=g"),
            (Pairs{{"a", "1"}, {"b", "x y!"}, {"c", ""}, {"", "d"}, {"e", "f=g"}}));
  EXPECT_EQ(QueryParameter("watch=true&limit=500", "limit"), "500");
  EXPECT_EQ(QueryParameter("watch=true", "limit"), std::nullopt);
}

TEST(DateTest, IsWrittenAsHttpWantsIt) {
  EXPECT_EQ(HttpDate(FromUnixNanos(784111777'000'000'000)), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(HttpDate(FromUnixNanos(0)), "Thu, 01 Jan 1970 00:00:00 GMT");
}

TEST(HeadWriterTest, GrowsAsNeeded) {
  HeadBuffer buffer;
  for (int round = 0; round < 2; ++round) {
    HeadWriter out(buffer);
    std::string want;
    for (int i = 0; i < 1000; ++i) {
      out.Field("Some-Name", "some value");
      out.Number(static_cast<uint64_t>(i));
      want += "Some-Name: some value\r\n" + std::to_string(i);
    }
    EXPECT_EQ(out.written(), want);
  }
}

}  // namespace
}  // namespace updraft::http
