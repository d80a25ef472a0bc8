// Timestamps, durations, quantities, base64, names, image references.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/api/base64.h"
#include "core/api/duration.h"
#include "core/api/image_reference.h"
#include "core/api/names.h"
#include "core/api/quantity.h"
#include "core/api/timestamp.h"

namespace updraft::api {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(TimestampTest, RoundTripsSeconds) {
  const auto time = ParseTimestamp("2026-03-01T10:00:05Z");
  ASSERT_TRUE(time);
  EXPECT_EQ(FormatTimestamp(*time), "2026-03-01T10:00:05Z");
  EXPECT_EQ(UnixNanos(*time), 1772359205LL * 1'000'000'000);
}

TEST(TimestampTest, ReadsFractionsAndOffsets) {
  EXPECT_EQ(FormatMicroTimestamp(*ParseTimestamp("2026-03-01T10:00:05.000123Z")),
            "2026-03-01T10:00:05.000123Z");
  EXPECT_EQ(FormatTimestamp(*ParseTimestamp("2026-03-01T10:00:05+02:30")), "2026-03-01T07:30:05Z");
  EXPECT_EQ(FormatTimestamp(*ParseTimestamp("1969-12-31T23:59:59Z")), "1969-12-31T23:59:59Z");
}

TEST(TimestampTest, RefusesWhatIsNone) {
  for (const char* text : {"", "2026", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z",
                           "2026-03-01 10:00:05Z", "2026-03-01T10:00:05", "2026-03-01T24:00:05Z",
                           "9999-01-01T00:00:00Z", "2026-03-01T10:00:05Zx"}) {
    EXPECT_FALSE(ParseTimestamp(text)) << text;
  }
}

TEST(TimestampTest, AgesReadLikeKubectl) {
  struct Case {
    Nanos age;
    const char* want;
  };
  for (const Case& c :
       {Case{Seconds(-5), "<invalid>"}, Case{Seconds(0), "0s"}, Case{Seconds(119), "119s"},
        Case{Seconds(125), "2m5s"}, Case{minutes(5), "5m"}, Case{minutes(45), "45m"},
        Case{hours(3) + minutes(7), "3h7m"}, Case{hours(9), "9h"}, Case{hours(50), "2d2h"},
        Case{hours(24 * 30), "30d"}, Case{hours(24 * 800), "2y70d"}}) {
    EXPECT_EQ(FormatAge(c.age), c.want);
  }
}

TEST(DurationTest, ReadsAndWritesGoDurations) {
  struct Case {
    const char* text;
    Nanos want;
    const char* formatted;
  };
  for (const Case& c :
       {Case{"0", Nanos(0), "0s"}, Case{"1h", hours(1), "1h0m0s"},
        Case{"1.5s", Millis(1500), "1.5s"}, Case{"-2m", -minutes(2), "-2m0s"},
        Case{"300ms", Millis(300), "300ms"},
        Case{"1h15m30.918s", hours(1) + minutes(15) + Millis(30918), "1h15m30.918s"},
        Case{"10us", Nanos(10'000), "10\u00b5s"}, Case{".5s", Millis(500), "500ms"}}) {
    const auto parsed = ParseGoDuration(c.text);
    ASSERT_TRUE(parsed) << c.text;
    EXPECT_EQ(*parsed, c.want) << c.text;
    EXPECT_EQ(FormatGoDuration(*parsed), c.formatted);
  }
}

TEST(DurationTest, RefusesWhatIsNone) {
  for (const char* text :
       {"", "5", "s", "1x", "1h-5m", "..s", "10000000h", "99999999999999999999s"}) {
    EXPECT_FALSE(ParseGoDuration(text)) << text;
  }
}

TEST(QuantityTest, ReadsAllForms) {
  struct Case {
    const char* text;
    int64_t value;
    int64_t millis;
  };
  for (const Case& c :
       {Case{"0", 0, 0}, Case{"250m", 1, 250}, Case{"1.5", 2, 1500},
        Case{"128Mi", 134217728, 134217728000}, Case{"1k", 1000, 1000000},
        Case{"1e3", 1000, 1000000}, Case{"1E", 1000000000000000000, INT64_MAX},
        Case{"-1", -1, -1000}, Case{"+2", 2, 2000}, Case{"100u", 1, 1}, Case{".5", 1, 500},
        Case{"5.", 5, 5000}, Case{"0.3333333333333333333333333333333333", 1, 334},
        Case{"1Ei", 1152921504606846976, INT64_MAX},
        Case{"99999999999999999999999", INT64_MAX, INT64_MAX}}) {
    const auto quantity = Quantity::Parse(c.text);
    ASSERT_TRUE(quantity) << c.text;
    EXPECT_EQ(quantity->Value(), c.value) << c.text;
    EXPECT_EQ(quantity->MilliValue(), c.millis) << c.text;
  }
  EXPECT_EQ(Quantity::FromJson(Json(2))->MilliValue(), 2000);
  EXPECT_EQ(*Quantity::Parse("1000m"), *Quantity::Parse("1"));
}

TEST(QuantityTest, RefusesWhatIsNone) {
  for (const char* text : {"", "m", "1.2.3", "1Xi", "abc", "1 Mi", "--1", "1e", "1mi", "1e99999"}) {
    EXPECT_FALSE(Quantity::Parse(text)) << text;
  }
}

TEST(Base64Test, RoundTrips) {
  for (const char* text : {"", "a", "ab", "abc", "abcd", "\x01\xff\x7f"}) {
    EXPECT_EQ(DecodeBase64(EncodeBase64(text)), text);
  }
  EXPECT_EQ(EncodeBase64("hello"), "aGVsbG8=");
  EXPECT_EQ(DecodeBase64("aGVs\nbG8="), "hello");
}

TEST(Base64Test, RefusesWhatIsNone) {
  for (const char* text : {"a", "aa", "aaa", "aa=", "a===", "aGVsbG8=x", "aGVs!G8=", "===="}) {
    EXPECT_FALSE(DecodeBase64(text)) << text;
  }
}

TEST(NamesTest, Dns1035LabelsComplainInKubernetesWords) {
  EXPECT_THAT(CheckDns1035Label("hello-1"), IsEmpty());
  EXPECT_THAT(CheckDns1035Label("1hello"),
              ElementsAre("a DNS-1035 label must consist of lower case alphanumeric characters or "
                          "'-', start with an "
                          "alphabetic character, and end with an alphanumeric character (e.g. "
                          "'my-name',  or 'abc-123', "
                          "regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"));
  EXPECT_THAT(CheckDns1035Label(std::string(64, 'a')),
              ElementsAre("must be no more than 63 characters"));
  for (const char* name : {"", "Hello", "a_b", "a.b", "-a", "a-", "a b"})
    EXPECT_FALSE(CheckDns1035Label(name).empty()) << name;
}

TEST(NamesTest, OtherNames) {
  EXPECT_THAT(CheckDns1123Label("a.b"), ElementsAre("must not contain dots"));
  EXPECT_THAT(CheckDns1123Label("1-a"), IsEmpty());
  EXPECT_THAT(CheckDns1123Subdomain("a.b-c.1"), IsEmpty());
  EXPECT_FALSE(CheckDns1123Subdomain("a..b").empty());
  EXPECT_THAT(CheckQualifiedName("example.com/My_Name.x"), IsEmpty());
  EXPECT_FALSE(CheckQualifiedName("a/b/c").empty());
  EXPECT_FALSE(CheckQualifiedName("/b").empty());
  EXPECT_FALSE(CheckQualifiedName("Example/b").empty());
  EXPECT_THAT(CheckLabelValue(""), IsEmpty());
  EXPECT_FALSE(CheckLabelValue("a b").empty());
  EXPECT_THAT(CheckConfigMapKey("a_B-1.txt"), IsEmpty());
  EXPECT_FALSE(CheckConfigMapKey("..a").empty());
  EXPECT_FALSE(CheckConfigMapKey("a/b").empty());
  EXPECT_THAT(CheckDns1035Prefix("hello-"), IsEmpty());
  EXPECT_EQ(ToGoList({"a", "b c"}), "[a b c]");
}

TEST(NamesTest, ChildNamesAreKnatives) {
  EXPECT_EQ(ChildName("hello", "-00001"), "hello-00001");
  const std::string longest(63, 'a');
  // md5 of 63 times "a".
  EXPECT_EQ(ChildName(longest, "-00001"),
            "aaaaaaaaaaaaaaaaaaaaaaaaab06521f39153d618550606be297466d5-00001");
  EXPECT_EQ(ChildName(longest, "-00001").size(), 63U);
  EXPECT_LE(ChildName("short", std::string(80, 'b')).size(), 63U);
}

TEST(NamesTest, GeneratedNamesFitAndUidsAreVersion4) {
  EXPECT_EQ(GenerateName("hello-", 0), "hello-bbbbb");
  EXPECT_EQ(GenerateName(std::string(80, 'a'), 12345).size(), 63U);
  EXPECT_THAT(MakeUid(0x0123456789abcdef, 0xffffffffffffffff),
              "01234567-89ab-4def-bfff-ffffffffffff");
}

struct ImageCase {
  const char* text;
  const char* full;
};

TEST(ImageReferenceTest, ReadsLikeKnativesResolver) {
  for (const ImageCase& c : {ImageCase{"nginx", "index.docker.io/library/nginx:latest"},
                             ImageCase{"user/app:1", "index.docker.io/user/app:1"},
                             ImageCase{"docker.io/nginx", "index.docker.io/library/nginx:latest"},
                             ImageCase{"localhost:5000/app", "localhost:5000/app:latest"},
                             ImageCase{"gcr.io/a/b:v1.2_x", "gcr.io/a/b:v1.2_x"},
                             ImageCase{"[::1]:5000/app:1", "[::1]:5000/app:1"}}) {
    const auto reference = ParseImageReference(c.text);
    ASSERT_TRUE(reference) << c.text;
    EXPECT_EQ(reference->Full(), c.full);
  }
  const auto with_digest = ParseImageReference("gcr.io/a/b:tag@sha256:" + std::string(64, 'a'));
  ASSERT_TRUE(with_digest);
  EXPECT_THAT(with_digest->Full(), testing::StartsWith("gcr.io/a/b@sha256:aaa"));
  EXPECT_EQ(with_digest->tag, "tag");
}

TEST(ImageReferenceTest, RefusesWithKnativesWords) {
  for (const std::string& text : std::vector<std::string>{
           "", "a", "UPPER/case", "a b", "repo@sha256:abc", "repo:tag!x", "host:port/x", "a@b@c"}) {
    const auto reference = ParseImageReference(text);
    ASSERT_FALSE(reference) << text;
    EXPECT_EQ(reference.error().message, "could not parse reference: " + text);
  }
}

}  // namespace
}  // namespace updraft::api
