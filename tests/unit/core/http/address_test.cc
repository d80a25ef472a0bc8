#include "core/http/address.h"

#include <gtest/gtest.h>

namespace updraft::http {
namespace {

TEST(AddressTest, IsReadAndWrittenTheSame) {
  for (const char* text : {"127.0.0.1:80", "[::1]:8080", "[fe80::1]:65535", "0.0.0.0:0"}) {
    const Result<SocketAddress> address = ParseAddress(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(FormatAddress(*address), text);
  }
  EXPECT_EQ(FormatAddress(*ParseAddress("unix:/run/x.sock")), "unix");
  EXPECT_EQ(ParseAddress("[::1]:8080")->port(), 8080);
}

TEST(AddressTest, NeedsAnIpAndAPort) {
  const std::string long_path = "unix:/" + std::string(200, 'x');
  for (const std::string& text :
       {std::string(), std::string("80"), std::string("localhost:80"), std::string("1.2.3:80"),
        std::string("1.2.3.4:"), std::string("1.2.3.4:x"), std::string("1.2.3.4:65536"),
        std::string("::1:80"), std::string("[::1]"), std::string("[]:80"), long_path}) {
    EXPECT_FALSE(ParseAddress(text)) << text;
  }
}

}  // namespace
}  // namespace updraft::http
