#include "core/api/go_number.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

namespace updraft::api {
namespace {

TEST(GoNumberTest, Integers) {
  for (const auto& [text, read, want] : std::vector<std::tuple<std::string, GoNumber, int64_t>>{
           {"0", GoNumber::kRead, 0},
           {"+5", GoNumber::kRead, 5},
           {"-5", GoNumber::kRead, -5},
           {"007", GoNumber::kRead, 7},
           {"2147483647", GoNumber::kRead, 2147483647},
           {"-2147483648", GoNumber::kRead, -2147483648LL},
           {"2147483648", GoNumber::kOutOfRange, 0},
           {"9999999999h", GoNumber::kOutOfRange, 0},
           {"", GoNumber::kBadSyntax, 0},
           {"+", GoNumber::kBadSyntax, 0},
           {"+-5", GoNumber::kBadSyntax, 0},
           {" 5", GoNumber::kBadSyntax, 0},
           {"5h", GoNumber::kBadSyntax, 0},
           {"0x10", GoNumber::kBadSyntax, 0},
           {"1_000", GoNumber::kBadSyntax, 0}}) {
    int64_t value = 0;
    EXPECT_EQ(ParseGoInt(text, 32, value), read) << text;
    EXPECT_EQ(value, want) << text;
  }
  int64_t value = 0;
  EXPECT_EQ(ParseGoInt("9223372036854775807", 64, value), GoNumber::kRead);
  EXPECT_EQ(value, INT64_MAX);
  EXPECT_EQ(ParseGoInt("-9223372036854775808", 64, value), GoNumber::kRead);
  EXPECT_EQ(value, INT64_MIN);
  EXPECT_EQ(ParseGoInt("9223372036854775808", 64, value), GoNumber::kOutOfRange);
  EXPECT_EQ(ParseGoInt("99999999999999999999", 64, value), GoNumber::kOutOfRange);
}

TEST(GoNumberTest, Floats) {
  for (const auto& [text, want] : std::vector<std::pair<std::string, double>>{
           {"1.5", 1.5}, {"-1.5", -1.5}, {"+5", 5}, {".5", 0.5}, {"5.", 5}, {"1e3", 1000}, {"1_000", 1000},
           {"0x1p-2", 0.25}, {"0X_1P4", 16}, {"inf", INFINITY}, {"-Infinity", -INFINITY}, {"1e-400", 0}}) {
    double value = 0;
    EXPECT_EQ(ParseGoFloat(text, value), GoNumber::kRead) << text;
    EXPECT_EQ(value, want) << text;
  }
  double value = 0;
  EXPECT_EQ(ParseGoFloat("NaN", value), GoNumber::kRead);
  EXPECT_TRUE(std::isnan(value));
  EXPECT_EQ(ParseGoFloat("1e400", value), GoNumber::kOutOfRange);
  for (const char* text : {"", "+", "x", "1x", " 1", "1 ", "--1", "+-1", "-nan", "0x10", "1__0", "_1", "1_", "1_.5",
                           ".", "1e", "1,5", "infinit"}) {
    EXPECT_EQ(ParseGoFloat(text, value), GoNumber::kBadSyntax) << text;
  }
}

}  // namespace
}  // namespace updraft::api
