#include "node-agent/spec/oci_spec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

namespace updraft::node_agent {
namespace {

using testing::Contains;
using testing::Not;

const HostFacts kHost = {.cgroups = CgroupLayout::kUnified, .swap_limit = true, .open_files_max = 20000};

struct Subject {
  v1::InstanceSpec instance;
  v1::Container container;
  OciSpecInput input;

  Subject() {
    instance.set_instance_id("hello-00001-abc");
    container.set_name("user-container");
    container.add_command("/server");
    input.container_id = "hello-00001-abc.0-0";
    input.cgroup_parent = "/updraft";
    input.network_namespace = "/run/netns/x";
    input.capabilities = {"CAP_KILL"};
    input.mounts = {.hosts_file = "/r/hosts", .hostname_file = "/r/hostname", .resolv_conf = "/r/resolv.conf"};
  }

  Result<nlohmann::json> Make(const HostFacts& host = kHost) {
    input.instance = &instance;
    input.container = &container;
    return OciSpec(input, host);
  }
};

std::optional<nlohmann::json> MountAt(const nlohmann::json& spec, const std::string& destination) {
  for (const auto& mount : spec.at("mounts")) {
    if (mount.at("destination") == destination) return mount;
  }
  return std::nullopt;
}

TEST(OciSpecTest, TheProcess) {
  Subject subject;
  subject.input.user = {.uid = 1000, .gid = 1001, .additional_gids = {10}};
  const nlohmann::json spec = *subject.Make();
  const nlohmann::json& process = spec.at("process");
  EXPECT_EQ(process.at("terminal"), false);  // so that there is no /dev/console
  EXPECT_EQ(process.at("args"), nlohmann::json({"/server"}));
  EXPECT_EQ(process.at("cwd"), "/");
  EXPECT_EQ(process.at("user"), nlohmann::json({{"uid", 1000}, {"gid", 1001}, {"additionalGids", {10}}}));
  EXPECT_EQ(process.at("noNewPrivileges"), true);
  for (const char* set : {"bounding", "effective", "permitted"}) {
    EXPECT_EQ(process.at("capabilities").at(set), nlohmann::json({"CAP_KILL"}));
  }
  EXPECT_FALSE(process.at("capabilities").contains("inheritable"));
  EXPECT_FALSE(process.at("capabilities").contains("ambient"));
  EXPECT_EQ(spec.at("hostname"), "hello-00001-abc");
}

TEST(OciSpecTest, PrivilegesMayGrowOnlyWhenTheUserSaysSo) {
  Subject subject;
  subject.container.mutable_security()->set_allow_privilege_escalation(true);
  EXPECT_EQ(subject.Make()->at("process").at("noNewPrivileges"), false);
}

TEST(OciSpecTest, WhatKnativesRuntimeContractAsksOfTheFileSystem) {
  Subject subject;
  const nlohmann::json spec = *subject.Make();
  EXPECT_EQ(MountAt(spec, "/proc")->at("type"), "proc");
  EXPECT_EQ(MountAt(spec, "/dev")->at("type"), "tmpfs");
  EXPECT_EQ(MountAt(spec, "/dev/pts")->at("type"), "devpts");
  EXPECT_EQ(MountAt(spec, "/dev/shm")->at("type"), "tmpfs");
  EXPECT_EQ(MountAt(spec, "/dev/mqueue")->at("type"), "mqueue");
  EXPECT_THAT(MountAt(spec, "/sys")->at("options"), Contains("ro"));
  EXPECT_EQ(MountAt(spec, "/sys/fs/cgroup")->at("type"), "cgroup");
  EXPECT_THAT(MountAt(spec, "/sys/fs/cgroup")->at("options"), Contains("ro"));
  for (const char* file : {"/etc/hosts", "/etc/hostname", "/etc/resolv.conf"}) {
    EXPECT_THAT(MountAt(spec, file)->at("options"), Contains("ro")) << file;
  }
  EXPECT_THAT(spec.at("linux").at("readonlyPaths"), Contains("/proc/sys"));
  EXPECT_THAT(spec.at("linux").at("maskedPaths"), Contains("/proc/kcore"));
  EXPECT_EQ(spec.at("root"), nlohmann::json({{"path", "rootfs"}, {"readonly", false}}));
}

TEST(OciSpecTest, AReadOnlyRoot) {
  Subject subject;
  subject.container.mutable_security()->set_read_only_root(true);
  EXPECT_EQ(subject.Make()->at("root").at("readonly"), true);
}

TEST(OciSpecTest, NamespacesAndCgroup) {
  Subject subject;
  const nlohmann::json spec = *subject.Make();
  const nlohmann::json& part = spec.at("linux");
  EXPECT_EQ(part.at("cgroupsPath"), "/updraft/hello-00001-abc.0-0");
  EXPECT_THAT(part.at("namespaces"), Contains(nlohmann::json({{"type", "network"}, {"path", "/run/netns/x"}})));
  EXPECT_THAT(part.at("namespaces"), Contains(nlohmann::json({{"type", "cgroup"}})));
  HostFacts v1 = kHost;
  v1.cgroups = CgroupLayout::kHybrid;
  EXPECT_THAT(subject.Make(v1)->at("linux").at("namespaces"), Not(Contains(nlohmann::json({{"type", "cgroup"}}))));
}

TEST(OciSpecTest, SeccompIsCompiledByTheRuntimeUnlessItIsGivenCompiled) {
  Subject subject;
  EXPECT_GT(subject.Make()->at("linux").at("seccomp").at("syscalls").size(), 5u);
  EXPECT_FALSE(subject.Make()->contains("annotations"));
  subject.input.seccomp_bpf = std::string("\x01\x02\x03\x04\x05\x06\x07\x08", 8);
  const nlohmann::json compiled = *subject.Make();
  EXPECT_EQ(compiled.at("annotations").at("run.oci.seccomp_bpf_data"), "AQIDBAUGBwg=");
  // Fails closed in a runtime that does not know the annotation.
  EXPECT_EQ(compiled.at("linux").at("seccomp"), nlohmann::json({{"defaultAction", "SCMP_ACT_ERRNO"}}));
  subject.container.mutable_security()->set_seccomp_unconfined(true);
  EXPECT_FALSE(subject.Make()->at("linux").contains("seccomp"));
  EXPECT_FALSE(subject.Make()->contains("annotations"));
}

TEST(OciSpecTest, AShimThatIsShared) {
  Subject subject;
  subject.input.shim_group = "default/hello-00001";
  EXPECT_EQ(subject.Make()->at("annotations").at("io.containerd.runc.v2.group"), "default/hello-00001");
}

TEST(OciSpecTest, Volumes) {
  Subject subject;
  subject.input.mounts.volumes = {{"secret", {.directory = "/r/volumes/secret", .read_only = true}},
                                  {"scratch", {.directory = "/s/scratch"}},
                                  {"memory", {.size_limit_bytes = 4096}}};
  subject.input.mounts.termination_file = "/r/t";
  subject.container.set_termination_message_path("/dev/termination-log");
  const auto mount = [&subject](const char* volume, const char* path, const char* sub_path = "") {
    v1::VolumeMount& added = *subject.container.add_mounts();
    added.set_volume(volume);
    added.set_path(path);
    added.set_sub_path(sub_path);
  };
  mount("secret", "/etc/secret", "key");
  mount("scratch", "/scratch");
  mount("memory", "/fast");
  const nlohmann::json spec = *subject.Make();
  EXPECT_EQ(MountAt(spec, "/etc/secret")->at("source"), "/r/volumes/secret/key");
  EXPECT_THAT(MountAt(spec, "/etc/secret")->at("options"), Contains("ro"));
  EXPECT_THAT(MountAt(spec, "/scratch")->at("options"), Contains("rw"));
  EXPECT_EQ(MountAt(spec, "/fast")->at("type"), "tmpfs");
  EXPECT_THAT(MountAt(spec, "/fast")->at("options"), Contains("size=4096"));
  EXPECT_EQ(MountAt(spec, "/dev/termination-log")->at("source"), "/r/t");
  EXPECT_THAT(MountAt(spec, "/dev/termination-log")->at("options"), Contains("rw"));
}

struct BadMount {
  std::string name;
  std::string volume;
  std::string path;
  std::string sub_path;
};

class RefusedMountTest : public testing::TestWithParam<BadMount> {};

TEST_P(RefusedMountTest, IsInvalid) {
  Subject subject;
  subject.input.mounts.volumes = {{"v", {.directory = "/v"}}};
  v1::VolumeMount& mount = *subject.container.add_mounts();
  mount.set_volume(GetParam().volume);
  mount.set_path(GetParam().path);
  mount.set_sub_path(GetParam().sub_path);
  const auto spec = subject.Make();
  ASSERT_FALSE(spec);
  EXPECT_EQ(spec.error().code, Code::kInvalidArgument);
}

INSTANTIATE_TEST_SUITE_P(Table, RefusedMountTest,
                         testing::ValuesIn(std::vector<BadMount>{
                             {"UnknownVolume", "w", "/x", ""},
                             {"RelativePath", "v", "x", ""},
                             {"NoPath", "v", "", ""},
                             {"PathWithDots", "v", "/a/../../b", ""},
                             {"SubPathThatLeaves", "v", "/x", "../y"},
                             {"SubPathThatEndsInDots", "v", "/x", "a/.."},
                         }),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace updraft::node_agent
