#include "node-agent/instance/run_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

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

TEST_F(RunFilesTest, WhatNoTmpfsKeepsToItsLimitIsToBeLookedAt) {
  for (const char* volume : {"own", "shared", "disk", "unlimited"}) spec_.add_empty_dirs()->set_volume(volume);
  for (int i = 0; i < 3; ++i) spec_.mutable_empty_dirs(i)->set_size_limit_bytes(4096);
  for (int i = 0; i < 2; ++i) spec_.mutable_empty_dirs(i)->set_memory(true);
  v1::Container& other = *spec_.add_containers();
  other.set_name("other");
  other.add_mounts()->set_volume("shared");
  container_ = spec_.mutable_containers(0);
  container_->add_mounts()->set_volume("shared");
  container_->add_mounts()->set_volume("own");
  ASSERT_TRUE(files_->Write(spec_, "10.89.0.5"));
  const std::vector<LimitedDirectory> limited = files_->LimitedDirectories(spec_);
  ASSERT_EQ(limited.size(), 2u);
  EXPECT_EQ(limited[0].limit.volume(), "shared");
  EXPECT_EQ(limited[1].limit.volume(), "disk");
  EXPECT_EQ(limited[1].path, files_->Sources(spec_, *container_)->volumes.at("disk").directory);
}

TEST_F(RunFilesTest, ADirectoryOnDiskIsAnyonesToWrite) {
  spec_.add_empty_dirs()->set_volume("d");
  ASSERT_TRUE(files_->Write(spec_, "10.89.0.5"));
  const std::string path = files_->Sources(spec_, *container_)->volumes.at("d").directory;
  EXPECT_EQ(fs::status(path).permissions(), fs::perms(0777));
  files_->Remove("hello-1");
  EXPECT_FALSE(fs::exists(path));
}

TEST_F(RunFilesTest, WhatAClaimHoldsOutlivesItsInstances) {
  v1::ClaimVolume& claim = *spec_.add_claims();
  claim.set_volume("data");
  claim.set_directory("pvc-1");
  ASSERT_TRUE(files_->Write(spec_, "10.89.0.5"));
  const VolumeSource data = files_->Sources(spec_, *container_)->volumes.at("data");
  EXPECT_FALSE(data.read_only);
  EXPECT_EQ(fs::status(data.directory).permissions(), fs::perms(0777));
  EXPECT_EQ(fs::status(files_->ClaimsDirectory()).permissions(), fs::perms(0700));
  std::ofstream(data.directory + "/kept") << "kept";
  fs::permissions(data.directory, fs::perms(0750));
  files_->Remove("hello-1");
  files_->RemoveOthers([](const std::string&) { return false; });
  spec_.set_instance_id("hello-2");
  spec_.mutable_claims(0)->set_read_only(true);
  ASSERT_TRUE(files_->Write(spec_, "10.89.0.5"));
  const VolumeSource again = files_->Sources(spec_, *container_)->volumes.at("data");
  EXPECT_TRUE(again.read_only);
  EXPECT_EQ(Read(again.directory + "/kept"), "kept");
  EXPECT_EQ(fs::status(again.directory).permissions(), fs::perms(0750));
  for (const char* bad : {"", "..", "a/b", "/a", ".gone-a", "."}) {
    spec_.mutable_claims(0)->set_directory(bad);
    EXPECT_FALSE(files_->Write(spec_, "10.89.0.5")) << bad;
  }
}

TEST_F(RunFilesTest, APartOfAVolumeIsMadeAndLeadsNowhereElse) {
  v1::ClaimVolume& claim = *spec_.add_claims();
  claim.set_volume("data");
  claim.set_directory("pvc-1");
  AddFile("config", "key");
  ASSERT_TRUE(files_->Write(spec_, "10.89.0.5"));
  const fs::path data = files_->Sources(spec_, *container_)->volumes.at("data").directory;
  const auto pin = [this](const std::string& volume, const std::string& sub_path) {
    container_->clear_mounts();
    v1::VolumeMount& mount = *container_->add_mounts();
    mount.set_volume(volume);
    mount.set_path("/mnt");
    mount.set_sub_path(sub_path);
    return files_->Pin(spec_, *container_);
  };
  for (const char* part : {"a/b", "a/./b", "/a/b", "a//b/"}) {
    const auto pinned = pin("data", part);
    ASSERT_TRUE(pinned) << part << " " << pinned.error().message;
    struct stat status {};
    ASSERT_EQ(stat((data / "a/b").c_str(), &status), 0);
    EXPECT_EQ(pinned->at(0).path, "/mnt");
    EXPECT_EQ(pinned->at(0).inode, status.st_ino) << part;
    EXPECT_EQ(status.st_mode & 0777, 0777u);
  }
  std::ofstream(data / "file") << "x";
  EXPECT_TRUE(pin("data", "file"));
  // What containers cannot write to needs no such care.
  EXPECT_TRUE(pin("config", "key")->empty());
  EXPECT_TRUE(pin("data", "")->empty());
  fs::create_symlink("/etc", data / "out");
  fs::create_symlink("a", data / "in");
  fs::create_symlink("/nowhere", data / "dangling");
  for (const char* part : {"out", "out/passwd", "in/b", "dangling", "dangling/x", "../pvc-2", "a/../.."}) {
    const auto pinned = pin("data", part);
    ASSERT_FALSE(pinned) << part;
    EXPECT_EQ(pinned.error().code, Code::kInvalidArgument) << part;
  }
  EXPECT_FALSE(pin("data", "file/x"));
  EXPECT_FALSE(fs::exists("/nowhere"));
}

TEST_F(RunFilesTest, WhatIsMountedIsComparedWithWhatWasMeant) {
  struct stat status {};
  ASSERT_EQ(stat("/proc/self/root/etc", &status), 0);
  EXPECT_TRUE(CheckPinned(getpid(), {{.path = "/etc", .device = status.st_dev, .inode = status.st_ino}}));
  EXPECT_FALSE(CheckPinned(getpid(), {{.path = "/usr", .device = status.st_dev, .inode = status.st_ino}}));
  EXPECT_FALSE(CheckPinned(getpid(), {{.path = "/nowhere", .device = status.st_dev, .inode = status.st_ino}}));
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
