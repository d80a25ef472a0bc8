#include "cli/platform/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "cli/platform/files.h"
#include "cli/platform/programs.h"

namespace updraft::cli {
namespace {

using testing::HasSubstr;

TEST(PlatformConfigTest, WhatUpWritesLaterCommandsRead) {
  char name[] = "/tmp/updraft-config.XXXXXX";
  PlatformConfig config;
  config.run = mkdtemp(name);
  config.http_addresses = {"127.0.0.1:1", "[::1]:1"};
  config.hide_unified_cgroup = true;
  ASSERT_TRUE(SavePlatform(config).has_value());
  const auto loaded = LoadPlatform(config.run);
  ASSERT_TRUE(loaded.has_value());
  EXPECT_EQ(loaded->http_addresses, config.http_addresses);
  EXPECT_TRUE(loaded->hide_unified_cgroup);

  ASSERT_TRUE(WriteFile(PlatformPaths(config).config_file, "{\"run\": 7}", 0644).has_value());
  EXPECT_THAT(LoadPlatform(config.run).error().message, HasSubstr("damaged"));
  std::filesystem::remove_all(config.run);
  EXPECT_EQ(LoadPlatform(config.run).error().code, Code::kNotFound);
}

TEST(ProgramsTest, TheDataPlaneStopsFirstAndContainerdLast) {
  const std::vector<Program> programs = ProgramsOf({});
  ASSERT_EQ(programs.size(), 5u);
  EXPECT_EQ(programs.front().name, "containerd");
  EXPECT_EQ(programs[1].name, "node-agent");
  EXPECT_EQ(programs.back().name, "activator");
}

TEST(ProgramsTest, TlsIsTheActivatorsAndItsPortTheControllers) {
  PlatformConfig config;
  config.https_addresses = {"127.0.0.1:8443"};
  config.proxied_addresses = {"127.0.0.1:8443"};
  config.tls_certificates = {"/a.crt"};
  config.tls_keys = {"/a.key"};
  config.tls_redirect = true;
  const std::vector<Program> programs = ProgramsOf(config);
  for (const Program& program : programs) {
    std::string line;
    for (const std::string& word : program.argv) line += word + " ";
    if (program.name == "activator") {
      EXPECT_THAT(line, HasSubstr("--https-address 127.0.0.1:8443 --proxy-protocol 127.0.0.1:8443 --tls-cert /a.crt "
                                  "--tls-key /a.key --tls-redirect"));
    }
    if (program.name == "controller") {
      EXPECT_THAT(line, HasSubstr("--https-port 8443"));
    }
  }
}

TEST(ProgramsTest, ASystemContainerdIsNotStartedAndNothingEntersANamespace) {
  PlatformConfig config;
  config.system_containerd = "/run/containerd/containerd.sock";
  for (const Program& program : ProgramsOf(config)) {
    EXPECT_NE(program.name, "containerd");
    EXPECT_FALSE(program.in_mount_namespace);
  }
}

TEST(ProgramsTest, InstancesReachServicesAtTheirBridge) {
  PlatformConfig config;
  config.subnet = "10.90.0.0/16";
  const auto all = [&config] {
    std::string line;
    for (const Program& program : ProgramsOf(config)) {
      for (const std::string& word : program.argv) line += word + " ";
    }
    return line;
  };
  const std::string with = all();
  for (const char* flags : {"--inside-address 10.90.0.1:80 ", "--dns-address 10.90.0.1:53 ", "--service-names 10.90.0.1 "})
    EXPECT_NE(with.find(flags), std::string::npos) << flags;
  config.inside_port = 0;
  EXPECT_EQ(all().find("10.90.0.1"), std::string::npos);
}

TEST(ProgramsTest, TwoPlatformsOnOneMachineShareNoAddress) {
  PlatformConfig a;
  PlatformConfig b;
  b.run = "/tmp/b/run";
  b.state = "/tmp/b/state";
  b.http_addresses = {"127.0.0.1:18080"};
  b.api_address = "127.0.0.1:16443";
  b.controller_metrics = "127.0.0.1:19190";
  b.autoscaler_metrics = "127.0.0.1:19191";
  b.activator_metrics = "127.0.0.1:19192";
  b.agent_metrics = "127.0.0.1:19193";
  b.bridge = "updraft1";
  b.subnet = "10.90.0.0/16";
  b.cgroup_parent = "/updraft1";
  std::set<std::string> of_a;
  for (const Program& program : ProgramsOf(a)) of_a.insert(program.argv.begin() + 1, program.argv.end());
  for (const Program& program : ProgramsOf(b)) {
    for (size_t i = 1; i < program.argv.size(); ++i) {
      const std::string& word = program.argv[i];
      if (word.starts_with("--") || word == b.domain || word == b.log_level || word.empty()) continue;
      EXPECT_FALSE(of_a.contains(word)) << program.name << " " << word;
    }
  }
}

}  // namespace
}  // namespace updraft::cli
