#include "node-agent/instance/run_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "node-agent/instance/out_of_memory.h"

namespace updraft::node_agent {
namespace {

using testing::HasSubstr;

namespace fs = std::filesystem;

std::string Read(const fs::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

class RunFilesTest : public testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/updraft-run-files-XXXXXX";
    ASSERT_NE(mkdtemp(pattern), nullptr);
    directory_ = pattern;
    std::ofstream(directory_ / "resolv.conf") << "search example.org\nnameserver 10.0.0.1\n";
    files_ = std::make_unique<RunFiles>(RunFilesOptions{.run_directory = directory_ / "run",
                                                        .state_directory = directory_ / "lib",
                                                        .resolv_conf = directory_ / "resolv.conf"});
    ASSERT_TRUE(files_->Start());
    spec_.set_instance_id("hello-1");
    container_ = spec_.add_containers();
    container_->set_name("user");
    container_->set_termination_message_path("/dev/termination-log");
  }
  void TearDown() override { fs::remove_all(directory_); }

  void AddFile(const std::string& volume, const std::string& path, uint32_t mode = 0) {
    v1::VolumeFile& file = *spec_.add_files();
    file.set_volume(volume);
    file.set_path(path);
    file.set_content("content");
    file.set_mode(mode);
  }

  fs::path directory_;
  std::unique_ptr<RunFiles> files_;
  v1::InstanceSpec spec_;
  v1::Container* container_ = nullptr;
};

TEST_F(RunFilesTest, HostsHostnameAndResolvConf) {
  ASSERT_TRUE(files_->Write(spec_, "10.89.0.5"));
  const MountSources sources = *files_->Sources(spec_, *container_);
  EXPECT_THAT(Read(sources.hosts_file), HasSubstr("10.89.0.5\thello-1\n"));
  EXPECT_THAT(Read(sources.hosts_file), HasSubstr("127.0.0.1\tlocalhost\n"));
  EXPECT_EQ(Read(sources.hostname_file), "hello-1\n");
  EXPECT_EQ(Read(sources.resolv_conf), "search example.org\nnameserver 10.0.0.1\n");
}

TEST_F(RunFilesTest, ServicesAreFoundByNameWhereSomebodyKnowsThem) {
  const RunFiles files({.run_directory = directory_ / "run",
                        .state_directory = directory_ / "lib",
                        .resolv_conf = directory_ / "resolv.conf",
                        .service_names = "10.89.0.1"});
  spec_.set_namespace_("shop");
  ASSERT_TRUE(files.Write(spec_, "10.89.0.5"));
  EXPECT_THAT(Read(files.Sources(spec_, *container_)->resolv_conf),
              testing::StartsWith("search shop.svc.cluster.local svc.cluster.local cluster.local example.org\n"
                                  "nameserver 10.89.0.1\n"));
}

TEST_F(RunFilesTest, VolumeFilesHaveTheirModeAndAreReadOnly) {
  AddFile("secret", "deep/key", 0400);
  AddFile("secret", "plain");
  ASSERT_TRUE(files_->Write(spec_, "10.89.0.5"));
  const MountSources sources = *files_->Sources(spec_, *container_);
  const VolumeSource& secret = sources.volumes.at("secret");
  EXPECT_TRUE(secret.read_only);
  EXPECT_EQ(Read(secret.directory + "/deep/key"), "content");
  EXPECT_EQ(fs::status(secret.directory + "/deep/key").permissions(), fs::perms(0400));
  EXPECT_EQ(fs::status(secret.directory + "/plain").permissions(), fs::perms(0644));
  EXPECT_EQ(fs::status(directory_ / "run/instances").permissions(), fs::perms(0700));
}

TEST_F(RunFilesTest, NothingIsWrittenOutsideOfAVolume) {
  for (const auto& [volume, path] : std::vector<std::pair<std::string, std::string>>{
           {"v", "../escape"}, {"v", "/etc/passwd"}, {"v", "a/../../b"}, {"../v", "a"}, {"", "a"}, {"v", ""}, {"v", "."}}) {
    spec_.clear_files();
    AddFile(volume, path);
    const Status written = files_->Write(spec_, "10.89.0.5");
    ASSERT_FALSE(written) << volume << " " << path;
    EXPECT_EQ(written.error().code, Code::kInvalidArgument);
  }
}

TEST_F(RunFilesTest, MemoryIsTheContainersOwnUnlessItIsShared) {
  v1::EmptyDir& dir = *spec_.add_empty_dirs();
  dir.set_volume("m");
  dir.set_memory(true);
  dir.set_size_limit_bytes(4096);
  container_->add_mounts()->set_volume("m");
  ASSERT_TRUE(files_->Write(spec_, "10.89.0.5"));
  EXPECT_EQ(files_->Sources(spec_, *container_)->volumes.at("m").directory, "");
  EXPECT_EQ(files_->Sources(spec_, *container_)->volumes.at("m").size_limit_bytes, 4096);
  v1::Container& other = *spec_.add_containers();
  other.set_name("other");
  other.add_mounts()->set_volume("m");
  ASSERT_TRUE(files_->Write(spec_, "10.89.0.5"));
  EXPECT_TRUE(fs::is_directory(files_->Sources(spec_, *container_)->volumes.at("m").directory));
}

TEST_F(RunFilesTest, ADirectoryOnDiskIsAnyonesToWrite) {
  spec_.add_empty_dirs()->set_volume("d");
  ASSERT_TRUE(files_->Write(spec_, "10.89.0.5"));
  const std::string path = files_->Sources(spec_, *container_)->volumes.at("d").directory;
  EXPECT_EQ(fs::status(path).permissions(), fs::perms(0777));
  files_->Remove("hello-1");
  EXPECT_FALSE(fs::exists(path));
}

TEST_F(RunFilesTest, TheTerminationMessageIsEmptyAtEachStartAndBounded) {
  ASSERT_TRUE(files_->Write(spec_, "10.89.0.5"));
  const MountSources sources = *files_->Sources(spec_, *container_);
  EXPECT_EQ(files_->TerminationMessage("hello-1", "user"), "");
  std::ofstream(sources.termination_file) << std::string(10000, 'x');
  EXPECT_EQ(files_->TerminationMessage("hello-1", "user").size(), 4096u);
  ASSERT_TRUE(files_->Sources(spec_, *container_));
  EXPECT_EQ(files_->TerminationMessage("hello-1", "user"), "");
}

TEST_F(RunFilesTest, WhatIsNotKeptIsRemoved) {
  ASSERT_TRUE(files_->Write(spec_, "10.89.0.5"));
  spec_.set_instance_id("other-1");
  ASSERT_TRUE(files_->Write(spec_, "10.89.0.6"));
  files_->RemoveOthers([](const std::string& id) { return id == "other-1"; });
  EXPECT_FALSE(fs::exists(directory_ / "run/instances/hello-1"));
  EXPECT_TRUE(fs::exists(directory_ / "run/instances/other-1"));
}

TEST(OutOfMemoryTest, CountersAreFoundByName) {
  EXPECT_EQ(CounterIn("low 0\nhigh 0\nmax 12\noom 3\noom_kill 2\n", "oom_kill"), 2);
  EXPECT_EQ(CounterIn("oom_kill_disable 0\nunder_oom 0\noom_kill 1\n", "oom_kill"), 1);
  EXPECT_EQ(CounterIn("oom_kill_disable 0\n", "oom_kill"), 0);
  EXPECT_EQ(CounterIn("", "oom_kill"), 0);
}

}  // namespace
}  // namespace updraft::node_agent
