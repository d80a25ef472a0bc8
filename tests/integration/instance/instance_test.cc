// Instances over a real containerd and crun: from spec to process and back.
#include <poll.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/integration/instance/test_agent.h"

namespace updraft::node_agent {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

namespace fs = std::filesystem;

class InstanceTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string obstacle = PrivateContainerd::Obstacle(); !obstacle.empty()) GTEST_SKIP() << obstacle;
    containerd_ = std::make_unique<PrivateContainerd>();
    StartAgent();
  }

  void TearDown() override {
    if (agent_ != nullptr) {
      agent_->StopAll(Millis(1));
      ExpectNothingLeft();
    }
    agent_.reset();
    containerd_.reset();
  }

  void StartAgent(TestAgentOptions options = {}) {
    agent_.reset();
    agent_ = std::make_unique<TestAgent>(*containerd_, options);
    agent_->WaitUntilReady();
  }

  void ExpectNothingLeft() {
    const RuntimeContents contents = agent_->Contents();
    EXPECT_EQ(contents.containers.size(), 0u);
    EXPECT_EQ(contents.tasks.size(), 0u);
    EXPECT_EQ(contents.snapshots, std::vector<std::string>{containerd_->root_snapshot()});
    EXPECT_TRUE(fs::is_empty(containerd_->directory() + "/run/instances"));
    EXPECT_TRUE(fs::is_empty(containerd_->directory() + "/lib/volumes"));
    EXPECT_THAT(containerd_->Shims(), IsEmpty());
    for (const char* hierarchy : {"/sys/fs/cgroup/updraft-test", "/sys/fs/cgroup/memory/updraft-test"}) {
      std::error_code ignored;
      for (const auto& entry : fs::directory_iterator(hierarchy, ignored)) EXPECT_FALSE(entry.is_directory()) << entry;
    }
  }

  v1::InstanceReport Ready(const v1::InstanceSpec& spec) {
    agent_->Start(spec);
    return agent_->WaitForPhase(spec.instance_id(), v1::INSTANCE_READY);
  }

  std::unique_ptr<PrivateContainerd> containerd_;
  std::unique_ptr<TestAgent> agent_;
};

TEST_F(InstanceTest, StartsServesAndStops) {
  const uint16_t port = FreePort();
  const v1::InstanceReport ready = Ready(Spec("hello-1", port, {"serve"}));
  EXPECT_EQ(Get(port, "/"), "ok");
  EXPECT_EQ(ready.ip(), "127.0.0.1");
  EXPECT_EQ(ready.revision(), "default/hello-00001");
  const v1::ColdStart& cold = ready.cold_start();
  EXPECT_GT(cold.claimed_ns(), 0);
  EXPECT_LE(cold.claimed_ns(), cold.started_ns());
  EXPECT_LE(cold.started_ns(), cold.ready_ns());
  EXPECT_LE(cold.listening_ns(), cold.ready_ns());
  ASSERT_EQ(ready.containers_size(), 1);
  EXPECT_TRUE(ready.containers(0).running());
  EXPECT_TRUE(ready.containers(0).ready());

  agent_->Stop("hello-1", Seconds(5));
  const v1::InstanceReport stopping = agent_->WaitForPhase("hello-1", v1::INSTANCE_STOPPING);
  const v1::InstanceReport stopped = agent_->WaitForPhase("hello-1", v1::INSTANCE_STOPPED);
  EXPECT_EQ(stopped.containers(0).last_termination().exit_code(), 0);  // the handler's, not the signal's
  EXPECT_EQ(Get(port, "/"), "");
}

TEST_F(InstanceTest, KeepsKnativesRuntimeContract) {
  const uint16_t port = FreePort();
  v1::InstanceSpec spec = Spec("contract-1", port, {"serve"});
  v1::Container& container = *spec.mutable_containers(0);
  container.set_working_dir("/tmp");
  container.mutable_security()->set_run_as_user(1000);
  container.mutable_resources()->set_memory_limit_bytes(128 << 20);
  container.mutable_resources()->set_cpu_limit_millis(1000);
  container.mutable_resources()->set_cpu_request_millis(125);
  v1::EnvVar& variable = *container.add_env();
  variable.set_name("K_SERVICE");
  variable.set_value("hello");
  Ready(spec);
  const std::string facts = Get(port, "/facts");
  EXPECT_THAT(facts, HasSubstr("uid 1000\ngid 1001\n"));
  EXPECT_THAT(facts, HasSubstr("groups 77\n"));
  EXPECT_THAT(facts, HasSubstr("cwd /tmp\n"));
  EXPECT_THAT(facts, HasSubstr("hostname contract-1\n"));
  EXPECT_THAT(facts, HasSubstr("args /app serve\n"));
  EXPECT_THAT(facts, HasSubstr("env PORT=" + std::to_string(port) + "\n"));
  EXPECT_THAT(facts, HasSubstr("env K_SERVICE=hello\n"));
  EXPECT_THAT(facts, HasSubstr("env HOSTNAME=contract-1\n"));
  EXPECT_THAT(facts, HasSubstr("env PATH=/usr/local/sbin:"));
  EXPECT_THAT(facts, HasSubstr("link /dev/fd /proc/self/fd\n"));
  EXPECT_THAT(facts, HasSubstr("link /dev/stdout /proc/self/fd/1\n"));
  for (const char* path : {"/dev/null", "/dev/full", "/dev/zero", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/ptmx",
                           "/etc/resolv.conf", "/etc/hosts", "/etc/hostname", "/tmp"}) {
    EXPECT_THAT(facts, HasSubstr("stat " + std::string(path) + " there\n"));
  }
  EXPECT_THAT(facts, HasSubstr("stat /dev/console none\n"));
  EXPECT_THAT(facts, HasSubstr("sysctl read-only\n"));
  EXPECT_THAT(facts, HasSubstr("cgroup read-only\n"));
  EXPECT_THAT(facts, HasSubstr("stdin eof\n"));
  EXPECT_THAT(facts, HasSubstr("memory 134217728\n"));
  EXPECT_THAT(facts, HasSubstr("NoNewPrivs:\t1\n"));
  EXPECT_THAT(facts, HasSubstr("Seccomp:\t2\n"));
  EXPECT_THAT(Get(port, "/file/etc/hosts"), HasSubstr("127.0.0.1\tcontract-1\n"));
}

TEST_F(InstanceTest, ACrashIsReportedWithItsLastWordsAndRestartedWithBackoff) {
  const uint16_t port = FreePort();
  agent_->Start(Spec("crash-1", port, {"exit", "3", "the reason why"}));
  // The first restart is at once, the next waits.
  const v1::InstanceReport backoff = agent_->WaitForPhase("crash-1", v1::INSTANCE_BACKOFF);
  EXPECT_EQ(backoff.failure().reason(), "CrashLoopBackOff");
  EXPECT_EQ(backoff.containers(0).restart_count(), 1);
  EXPECT_EQ(backoff.containers(0).last_termination().exit_code(), 3);
  EXPECT_EQ(backoff.containers(0).last_termination().signal(), 0);
  EXPECT_FALSE(backoff.containers(0).last_termination().oom_killed());
  EXPECT_THAT(backoff.containers(0).last_termination().message(), HasSubstr("the reason why"));
  EXPECT_GT(backoff.containers(0).last_termination().finished_at_ns(), 0);
}

TEST_F(InstanceTest, ARunningContainerThatEndsComesBackAtOnce) {
  const uint16_t port = FreePort();
  Ready(Spec("back-1", port, {"serve"}));
  Get(port, "/exit/7");
  const v1::InstanceReport again = agent_->WaitFor("back-1", [](const v1::InstanceReport& report) {
    return report.phase() == v1::INSTANCE_READY && report.containers(0).restart_count() == 1;
  });
  EXPECT_EQ(again.containers(0).last_termination().exit_code(), 7);
  EXPECT_EQ(Get(port, "/"), "ok");
}

TEST_F(InstanceTest, OutOfMemoryIsCalledByItsName) {
  const uint16_t port = FreePort();
  v1::InstanceSpec spec = Spec("hog-1", port, {"serve"});
  spec.mutable_containers(0)->mutable_resources()->set_memory_limit_bytes(32 << 20);
  Ready(spec);
  Get(port, "/hog");
  const v1::InstanceReport after = agent_->WaitFor("hog-1", [](const v1::InstanceReport& report) {
    return report.containers(0).has_last_termination();
  });
  EXPECT_TRUE(after.containers(0).last_termination().oom_killed());
  EXPECT_EQ(after.containers(0).last_termination().exit_code(), 137);
  EXPECT_EQ(after.containers(0).last_termination().signal(), SIGKILL);
}

TEST_F(InstanceTest, AfterTheGraceComesSigkill) {
  const uint16_t port = FreePort();
  Ready(Spec("deaf-1", port, {"serve", "--ignore-term"}));
  agent_->Stop("deaf-1", Millis(700));
  const v1::InstanceReport stopping = agent_->WaitForPhase("deaf-1", v1::INSTANCE_STOPPING);
  const auto began = RealClock().Now();
  const v1::InstanceReport stopped = agent_->WaitForPhase("deaf-1", v1::INSTANCE_STOPPED);
  EXPECT_GE(RealClock().Now() - began, Millis(600));
  EXPECT_EQ(stopped.containers(0).last_termination().signal(), SIGKILL);
  EXPECT_FALSE(stopped.containers(0).last_termination().oom_killed());
}

TEST_F(InstanceTest, AMissingProgramIsTheContainersFault) {
  v1::InstanceSpec spec = Spec("missing-1", FreePort(), {});
  spec.mutable_containers(0)->add_command("/nowhere");
  agent_->Start(spec);
  const v1::InstanceReport failed = agent_->WaitForPhase("missing-1", v1::INSTANCE_BACKOFF);
  EXPECT_EQ(failed.failure().reason(), "RunContainerError");
  EXPECT_THAT(failed.failure().message(), HasSubstr("/nowhere"));
  EXPECT_EQ(failed.containers(0).last_termination().exit_code(), 128);
}

TEST_F(InstanceTest, AnImpossibleUserIsAConfigError) {
  v1::InstanceSpec spec = Spec("root-1", FreePort(), {"serve"});
  spec.mutable_containers(0)->mutable_security()->set_run_as_non_root(true);
  agent_->Start(spec);
  const v1::InstanceReport failed =
      agent_->WaitFor("root-1", [](const v1::InstanceReport& report) { return report.has_failure(); });
  EXPECT_EQ(failed.phase(), v1::INSTANCE_PENDING);
  EXPECT_EQ(failed.failure().reason(), "CreateContainerConfigError");
  EXPECT_EQ(failed.failure().message(),
            "container has runAsNonRoot and image will run as root (pod: \"root-1_default\", container: user-container)");
}

TEST_F(InstanceTest, LivenessThatFailsRestarts) {
  const uint16_t port = FreePort();
  v1::InstanceSpec spec = Spec("ill-1", port, {"serve"});
  v1::Probe& probe = *spec.mutable_containers(0)->mutable_liveness_probe();
  probe.mutable_http()->set_path("/health");
  probe.set_period_ns(Nanos(Millis(50)).count());
  probe.set_failure_threshold(3);
  Ready(spec);
  Get(port, "/sicken");
  agent_->WaitFor("ill-1", [](const v1::InstanceReport& report) {
    return report.phase() == v1::INSTANCE_READY && report.containers(0).restart_count() == 1;
  });
}

TEST_F(InstanceTest, ExecProbesRunInTheContainer) {
  v1::InstanceSpec spec = Spec("exec-1", FreePort(), {"serve"});
  v1::Probe& probe = *spec.mutable_containers(0)->mutable_readiness_probe();
  probe.mutable_exec()->add_command("/app");
  probe.mutable_exec()->add_command("check");
  probe.mutable_exec()->add_command("/etc/hostname");
  Ready(spec);
  v1::InstanceSpec never = Spec("exec-2", FreePort(), {"serve"});
  v1::Probe& absent = *never.mutable_containers(0)->mutable_liveness_probe();
  absent.mutable_exec()->add_command("/app");
  absent.mutable_exec()->add_command("check");
  absent.mutable_exec()->add_command("/not/there");
  absent.set_period_ns(Nanos(Millis(100)).count());
  absent.set_failure_threshold(1);
  agent_->Start(never);
  agent_->WaitFor("exec-2", [](const v1::InstanceReport& report) { return report.containers(0).restart_count() == 1; });
}

TEST_F(InstanceTest, InitContainersRunBeforeTheOthersAndSidecarsBeside) {
  const uint16_t port = FreePort();
  const uint16_t sidecar_port = FreePort();
  v1::InstanceSpec spec = Spec("pod-1", port, {"serve"});
  v1::Container& init = *spec.add_init_containers();
  init.set_name("init");
  init.set_image("test/app");
  init.add_args("exit");
  init.add_args("0");
  v1::Container& sidecar = *spec.add_containers();
  sidecar.set_name("sidecar");
  sidecar.set_image("test/app");
  sidecar.add_args("serve");
  v1::EnvVar& variable = *sidecar.add_env();
  variable.set_name("PORT");
  variable.set_value(std::to_string(sidecar_port));
  sidecar.mutable_readiness_probe()->mutable_tcp()->set_port(sidecar_port);
  const v1::InstanceReport ready = Ready(spec);
  ASSERT_EQ(ready.containers_size(), 3);
  EXPECT_EQ(ready.containers(0).name(), "init");
  EXPECT_FALSE(ready.containers(0).running());
  EXPECT_TRUE(ready.containers(0).ready());
  EXPECT_TRUE(ready.containers(2).ready());
  EXPECT_EQ(Get(port, "/"), "ok");
  EXPECT_EQ(Get(sidecar_port, "/"), "ok");
}

TEST_F(InstanceTest, VolumesAreWhereTheyAreWanted) {
  const uint16_t port = FreePort();
  v1::InstanceSpec spec = Spec("volumes-1", port, {"serve"});
  v1::VolumeFile& file = *spec.add_files();
  file.set_volume("config");
  file.set_path("nested/key");
  file.set_content("the value");
  v1::EmptyDir& disk = *spec.add_empty_dirs();
  disk.set_volume("disk");
  v1::EmptyDir& memory = *spec.add_empty_dirs();
  memory.set_volume("memory");
  memory.set_memory(true);
  memory.set_size_limit_bytes(1 << 20);
  for (const auto& [volume, path] : std::vector<std::pair<std::string, std::string>>{
           {"config", "/etc/config"}, {"disk", "/disk"}, {"memory", "/memory"}}) {
    v1::VolumeMount& mount = *spec.mutable_containers(0)->add_mounts();
    mount.set_volume(volume);
    mount.set_path(path);
  }
  Ready(spec);
  EXPECT_EQ(Get(port, "/file/etc/config/nested/key"), "the value");
  const std::string mounts = Get(port, "/file/proc/mounts");
  EXPECT_THAT(mounts, HasSubstr(" /disk "));
  EXPECT_THAT(mounts, HasSubstr("tmpfs /memory tmpfs rw"));
  EXPECT_THAT(mounts, HasSubstr("size=1024k"));
}

// Adds a directory on disk to the instance, and mounts it whole or in part.
v1::EmptyDir& AddDisk(v1::InstanceSpec& spec, const std::string& sub_path = "") {
  v1::EmptyDir& disk = *spec.add_empty_dirs();
  disk.set_volume("disk");
  v1::VolumeMount& mount = *spec.mutable_containers(0)->add_mounts();
  mount.set_volume("disk");
  mount.set_path("/disk");
  mount.set_sub_path(sub_path);
  return disk;
}

TEST_F(InstanceTest, ALinkInAVolumeIsNoWayOutOfIt) {
  const uint16_t port = FreePort();
  v1::InstanceSpec spec = Spec("link-1", port, {"serve"});
  AddDisk(spec, "deep/part");
  Ready(spec);
  const fs::path part = containerd_->directory() + "/lib/volumes/link-1/disk/deep/part";
  std::ofstream(part / "file") << "mine";
  EXPECT_EQ(Get(port, "/file/disk/file"), "mine");
  // As a container that has the whole volume could leave it for its next run.
  const std::string outside = containerd_->directory() + "/outside";
  fs::create_directories(outside);
  std::ofstream(outside + "/file") << "the machine's";
  fs::remove_all(part);
  fs::create_directory_symlink(outside, part);
  Get(port, "/exit/1");
  const v1::InstanceReport report = agent_->WaitFor(
      "link-1", [](const v1::InstanceReport& r) { return r.failure().reason() == "CreateContainerConfigError"; });
  EXPECT_THAT(report.failure().message(), HasSubstr("leads through a symbolic link"));
  EXPECT_EQ(Get(port, "/file/disk/file"), "");
}

TEST_F(InstanceTest, WhoFillsHisDiskIsEvicted) {
  const uint16_t port = FreePort();
  v1::InstanceSpec spec = Spec("full-1", port, {"serve"});
  v1::EmptyDir& disk = AddDisk(spec);
  disk.set_size_limit_bytes(64 << 10);
  disk.set_size_limit("64Ki");
  Ready(spec);
  std::ofstream(containerd_->directory() + "/lib/volumes/full-1/disk/file") << std::string(1 << 20, 'x') << std::flush;
  const v1::InstanceReport report = agent_->WaitForPhase("full-1", v1::INSTANCE_FAILED);
  EXPECT_EQ(report.failure().reason(), "Evicted");
  EXPECT_EQ(report.failure().message(), "Usage of EmptyDir volume \"disk\" exceeds the limit \"64Ki\".");
}

TEST_F(InstanceTest, AnAgentThatComesBackTakesUpWhatRuns) {
  const uint16_t port = FreePort();
  const v1::InstanceReport before = Ready(Spec("kept-1", port, {"serve"}));
  Get(port, "/say/before");
  const std::vector<pid_t> shims = containerd_->Shims();
  agent_.reset();
  EXPECT_EQ(Get(port, "/"), "ok");
  Get(port, "/say/meanwhile");

  StartAgent();
  v1::InstanceInventory inventory = agent_->Inventory();
  ASSERT_EQ(inventory.instances_size(), 1);
  // At once and without a probe if the first agent had the time to note its readiness; else with the first probe.
  for (int tries = 0; inventory.instances(0).phase() != v1::INSTANCE_READY && tries < 5000; ++tries) {
    poll(nullptr, 0, 1);
    inventory = agent_->Inventory();
  }
  EXPECT_EQ(inventory.instances(0).phase(), v1::INSTANCE_READY);
  EXPECT_EQ(inventory.instances(0).spec().revision(), "hello-00001");
  EXPECT_EQ(inventory.instances(0).containers(0).restart_count(), 0);
  EXPECT_EQ(inventory.instances(0).containers(0).container_id(), before.containers(0).container_id());
  EXPECT_EQ(containerd_->Shims(), shims);
  Get(port, "/say/after");
  agent_->Stop("kept-1", Seconds(1));
  agent_->WaitForPhase("kept-1", v1::INSTANCE_STOPPED);
  const std::string log = agent_->Log("kept-1", "user-container");
  for (const char* said : {"before", "meanwhile", "after"}) EXPECT_THAT(log, HasSubstr(said));
}

TEST_F(InstanceTest, WhatEndedWhileTheAgentWasAwayIsRestarted) {
  const uint16_t port = FreePort();
  Ready(Spec("gone-1", port, {"serve"}));
  agent_.reset();
  Get(port, "/exit/5");
  StartAgent();
  // The process may still be on its way out when the agent looks: it is then adopted as ready first.
  const v1::InstanceReport again = agent_->WaitFor("gone-1", [](const v1::InstanceReport& report) {
    return report.phase() == v1::INSTANCE_READY && report.containers(0).restart_count() == 1;
  });
  EXPECT_EQ(again.containers(0).last_termination().exit_code(), 5);
  EXPECT_EQ(Get(port, "/"), "ok");
}

TEST_F(InstanceTest, WhatNobodyOwnsIsRemoved) {
  std::promise<Status> made;
  agent_->loop().Post([this, &made] {
    ContainerRuntime& runtime = agent_->runtime();
    runtime.PrepareSnapshot("stray", containerd_->root_snapshot(), [](const auto&) {});
    runtime.CreateContainer({.id = "stray", .snapshot_key = "stray", .oci_spec = "{}"},
                            [&made](const Status& status) { made.set_value(status); });
  });
  ASSERT_TRUE(made.get_future().get());
  StartAgent();
  // What is removed goes in the background: a full stop waits for nothing of it, so look until it is gone.
  for (int i = 0; i < 1000 && !agent_->Contents().containers.empty(); ++i) {
  }
  EXPECT_THAT(agent_->Contents().containers, IsEmpty());
}

TEST_F(InstanceTest, AShimThatDiesTakesItsOwnInstanceOnly) {
  const uint16_t port = FreePort();
  const uint16_t other_port = FreePort();
  const std::string id = Ready(Spec("victim-1", port, {"serve"})).containers(0).container_id();
  Ready(Spec("bystander-1", other_port, {"serve"}));
  const std::vector<pid_t> shims = containerd_->Shims(id);
  ASSERT_EQ(shims.size(), 1u);
  kill(shims[0], SIGKILL);
  agent_->WaitFor("victim-1", [](const v1::InstanceReport& report) {
    return report.phase() == v1::INSTANCE_READY && report.containers(0).restart_count() == 1;
  });
  EXPECT_EQ(Get(port, "/"), "ok");
  EXPECT_EQ(Get(other_port, "/"), "ok");
  EXPECT_EQ(agent_->Inventory().instances(0).instance_id(), "bystander-1");
  EXPECT_EQ(agent_->Inventory().instances(0).containers(0).restart_count(), 0);
}

TEST_F(InstanceTest, InstancesOutliveContainerd) {
  const uint16_t port = FreePort();
  const uint16_t dying_port = FreePort();
  Ready(Spec("steady-1", port, {"serve"}));
  Ready(Spec("dying-1", dying_port, {"serve"}));
  containerd_->Kill(SIGKILL);
  EXPECT_EQ(Get(port, "/"), "ok");
  Get(dying_port, "/exit/4");  // unheard
  agent_->Start(Spec("patient-1", FreePort(), {"serve"}));
  agent_->WaitFor("patient-1", [](const v1::InstanceReport& report) { return report.has_failure(); });
  containerd_->Start();
  agent_->WaitForPhase("patient-1", v1::INSTANCE_READY);
  const v1::InstanceReport again = agent_->WaitFor("dying-1", [](const v1::InstanceReport& report) {
    return report.phase() == v1::INSTANCE_READY && report.containers(0).restart_count() == 1;
  });
  EXPECT_EQ(again.containers(0).last_termination().exit_code(), 4);
  const v1::InstanceInventory inventory = agent_->Inventory();
  for (const v1::InstanceReport& report : inventory.instances()) {
    if (report.instance_id() != "steady-1") continue;
    EXPECT_EQ(report.containers(0).restart_count(), 0);
  }
}

TEST_F(InstanceTest, StoppingInTheMiddleOfAStartLeavesNothing) {
  for (int i = 0; i < 8; ++i) agent_->Start(Spec("hasty-" + std::to_string(i), FreePort(), {"serve"}));
  for (int i = 0; i < 8; ++i) agent_->Stop("hasty-" + std::to_string(i), Millis(1));
  for (int i = 0; i < 8; ++i) agent_->WaitForPhase("hasty-" + std::to_string(i), v1::INSTANCE_STOPPED);
}

TEST_F(InstanceTest, StopAllStopsAllAndStartsNothingMore) {
  for (int i = 0; i < 4; ++i) Ready(Spec("many-" + std::to_string(i), FreePort(), {"serve"}));
  EXPECT_EQ(agent_->StopAll(Seconds(1)), 4);
  agent_->Start(Spec("late-1", FreePort(), {"serve"}));
  EXPECT_EQ(agent_->WaitForPhase("late-1", v1::INSTANCE_FAILED).failure().message(), "the node is being shut down");
}

TEST_F(InstanceTest, RuncDoesTheSame) {
  if (access("/usr/sbin/runc", X_OK) != 0) GTEST_SKIP() << "runc is not installed";
  StartAgent({.runtime_binary = "/usr/sbin/runc", .compiled_seccomp = false});
  const uint16_t port = FreePort();
  Ready(Spec("runc-1", port, {"serve"}));
  const std::string facts = Get(port, "/facts");
  EXPECT_THAT(facts, HasSubstr("Seccomp:\t2\n"));
  EXPECT_THAT(facts, HasSubstr("cgroup read-only\n"));
  EXPECT_THAT(facts, HasSubstr("stat /dev/console none\n"));
}

}  // namespace
}  // namespace updraft::node_agent
