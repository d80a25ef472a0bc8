#include "node-agent/spec/seccomp.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/filter.h>

#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "node-agent/spec/capabilities.h"
#include "node-agent/spec/seccomp_table.h"

namespace updraft::node_agent {
namespace {

const std::vector<std::string> kNoCapabilities;

// The action and error number of the rules that name a system call.
std::set<std::string> RulesFor(const nlohmann::json& seccomp, const std::string& name) {
  std::set<std::string> rules;
  for (const auto& entry : seccomp.at("syscalls")) {
    for (const auto& listed : entry.at("names")) {
      if (listed != name) continue;
      rules.insert(entry.at("action").get<std::string>() +
                   (entry.contains("errnoRet") ? ":" + entry.at("errnoRet").dump() : "") +
                   (entry.contains("args") ? " " + entry.at("args").dump() : ""));
    }
  }
  return rules;
}

nlohmann::json JsonFor(const std::vector<std::string>& capabilities) {
  return SeccompJson(DefaultSeccompPolicy(capabilities, Architecture::kAmd64));
}

TEST(SeccompTest, WhatIsNotNamedFails) {
  const nlohmann::json seccomp = JsonFor(kNoCapabilities);
  EXPECT_EQ(seccomp.at("defaultAction"), "SCMP_ACT_ERRNO");
  EXPECT_EQ(seccomp.at("architectures"), nlohmann::json({"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"}));
  EXPECT_TRUE(RulesFor(seccomp, "mount").empty());
  EXPECT_TRUE(RulesFor(seccomp, "bpf").empty());
  EXPECT_EQ(RulesFor(seccomp, "read"), std::set<std::string>{"SCMP_ACT_ALLOW"});
}

TEST(SeccompTest, NewNamespacesNeedSysAdmin) {
  const nlohmann::json seccomp = JsonFor(kNoCapabilities);
  EXPECT_EQ(RulesFor(seccomp, "clone3"), std::set<std::string>{"SCMP_ACT_ERRNO:38"});
  EXPECT_EQ(RulesFor(seccomp, "clone"),
            std::set<std::string>{
                R"(SCMP_ACT_ALLOW [{"index":0,"op":"SCMP_CMP_MASKED_EQ","value":2114060288,"valueTwo":0}])"});
  const nlohmann::json admin = JsonFor({"CAP_SYS_ADMIN"});
  EXPECT_EQ(RulesFor(admin, "clone3"), std::set<std::string>{"SCMP_ACT_ALLOW"});
  EXPECT_EQ(RulesFor(admin, "mount"), std::set<std::string>{"SCMP_ACT_ALLOW"});
}

TEST(SeccompTest, CapabilitiesBringTheirCalls) {
  EXPECT_EQ(RulesFor(JsonFor({"CAP_SYS_TIME"}), "clock_settime"), std::set<std::string>{"SCMP_ACT_ALLOW"});
  EXPECT_EQ(RulesFor(JsonFor({"CAP_SYS_CHROOT"}), "chroot"), std::set<std::string>{"SCMP_ACT_ALLOW"});
}

TEST(SeccompTest, OtherArchitecturesHaveTheirOwnCalls) {
  const nlohmann::json arm = SeccompJson(DefaultSeccompPolicy(kNoCapabilities, Architecture::kArm64));
  EXPECT_TRUE(RulesFor(arm, "arch_prctl").empty());
  EXPECT_FALSE(RulesFor(arm, "cacheflush").empty());
  EXPECT_FALSE(RulesFor(JsonFor(kNoCapabilities), "arch_prctl").empty());
}

TEST(SeccompTest, FiveOfThePersonalities) {
  EXPECT_EQ(RulesFor(JsonFor(kNoCapabilities), "personality").size(), 5u);
}

// The table is a copy: where containerd's source is at hand (the package that its API comes from), they agree.
TEST(SeccompTest, IsContainerdsTable) {
  std::ifstream source("/usr/share/gocode/src/github.com/containerd/containerd/contrib/seccomp/seccomp_default.go");
  if (!source) GTEST_SKIP() << "containerd's source is not installed";
  std::stringstream text;
  text << source.rdbuf();
  const std::string code = text.str();
  const size_t begin = code.find("Names: []string{");
  const std::string list = code.substr(begin, code.find('}', begin + 17) - begin);
  std::set<std::string> theirs;
  const std::regex quoted("\"([a-z0-9_]+)\"");
  for (std::sregex_iterator it(list.begin(), list.end(), quoted), end; it != end; ++it) theirs.insert((*it)[1]);
  theirs.insert("ptrace");  // theirs stands apart: for kernels from 4.8 on
  const auto table = SyscallsAllowedAlways();
  EXPECT_EQ(std::set<std::string>(table.begin(), table.end()), theirs);
}

TEST(SeccompTest, CompilesToAProgramThatTheKernelTakes) {
  const auto program = CompileSeccomp(DefaultSeccompPolicy(*GrantedCapabilities({}, {}), Architecture::kAmd64));
  ASSERT_TRUE(program) << program.error().message;
  EXPECT_EQ(program->size() % sizeof(sock_filter), 0u);
  EXPECT_GT(program->size() / sizeof(sock_filter), 300u);
  EXPECT_LE(program->size() / sizeof(sock_filter), 4096u);
}

}  // namespace
}  // namespace updraft::node_agent
