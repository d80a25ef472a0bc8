#include "core/http/host_name.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace updraft::http {
namespace {

TEST(HostNameTest, IsLowerCaseWithoutPortAndTrailingDot) {
  const std::map<std::string, std::string> cases = {
      {"hello.default.localhost", "hello.default.localhost"},
      {"Hello.DEFAULT.localhost:8080", "hello.default.localhost"},
      {"hello.example.com.", "hello.example.com"},
      {"hello.example.com.:80", "hello.example.com"},
      {"127.0.0.1:8080", "127.0.0.1"},
      {"[::1]:8080", "[::1]"},
      {"[::1", ""},
      {"", ""},
      {":80", ""},
      {std::string(255, 'a'), std::string(255, 'a')},
      {std::string(256, 'a'), ""},
  };
  for (const auto& [authority, want] : cases)
    EXPECT_EQ(HostName(authority).view(), want) << authority;
}

}  // namespace
}  // namespace updraft::http
