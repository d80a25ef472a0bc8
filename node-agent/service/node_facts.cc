#include "node-agent/service/node_facts.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/base/unique_fd.h"
#include "node-agent/network/program.h"

namespace updraft::node_agent {
namespace {

// Below this share of free space the disk is said to be under pressure, as the kubelet says.
constexpr int64_t kPressurePercent = 10;

std::string FirstLine(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// The value of `key="value"` or `key=value`, as /etc/os-release has them.
std::string ShellValue(const std::string& path, const std::string& key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(key + "=")) continue;
    std::string value = line.substr(key.size() + 1);
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
    return value;
  }
  return "";
}

int64_t MemoryAvailable() {
  std::ifstream file("/proc/meminfo");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string key;
    int64_t kilobytes = 0;
    if (words >> key >> kilobytes && key == "MemAvailable:") return kilobytes * 1024;
  }
  return 0;
}

// The address that this machine would use towards the world; nothing is sent to find out.
std::string InternalIp() {
  const UniqueFd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(53);
  address.sin_addr.s_addr = htonl(0xc0000201);  // 192.0.2.1: reserved for documentation
  socklen_t length = sizeof address;
  if (!fd || connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    return "127.0.0.1";
  }
  char text[INET_ADDRSTRLEN] = "";
  inet_ntop(AF_INET, &address.sin_addr, text, sizeof text);
  return text;
}

std::string MachineName() {
  char name[256] = "";
  gethostname(name, sizeof name - 1);
  return name;
}

}  // namespace

std::string RuntimeVersion(const std::string& output) {
  // "crun version 1.8.1\n...", "runc version 1.1.5+ds1\n..."
  std::istringstream words(output);
  std::string name;
  std::string version;
  std::string number;
  words >> name >> version >> number;
  return version == "version" ? name + " " + number : name;
}

Result<v1::NodeHello> DescribeNode(const Config& config, const HostFacts& host) {
  v1::NodeHello hello;
  hello.set_node(config.node.empty() ? MachineName() : config.node);
  hello.set_agent_address(config.grpc_address);
  hello.set_version(UPDRAFT_VERSION);
  hello.mutable_capacity()->set_cpu_millis(host.cpus * 1000);
  hello.mutable_capacity()->set_memory_bytes(host.memory_bytes);
  hello.mutable_capacity()->set_instances_max(config.instances_max);
  hello.set_pod_subnet(config.subnet);
  const Result<std::string> runtime = RunProgram({config.runtime_binary, "--version"}, "");
  if (!runtime) return Context("runtime " + config.runtime_binary, runtime.error());
  hello.set_runtime(RuntimeVersion(*runtime));
  utsname name{};
  uname(&name);
  hello.set_kernel_version(name.release);
  hello.set_os_image(ShellValue("/etc/os-release", "PRETTY_NAME"));
  hello.set_architecture(host.architecture == Architecture::kArm64 ? "arm64" : "amd64");
  hello.set_internal_ip(InternalIp());
  hello.set_boot_id(FirstLine("/proc/sys/kernel/random/boot_id"));
  (*hello.mutable_labels())["kubernetes.io/hostname"] = hello.node();
  (*hello.mutable_labels())["kubernetes.io/os"] = "linux";
  (*hello.mutable_labels())["kubernetes.io/arch"] = hello.architecture();
  return hello;
}

v1::NodeStatus NodeStatusNow(const std::string& state) {
  v1::NodeStatus status;
  status.set_memory_available_bytes(MemoryAvailable());
  struct statvfs disk {};
  if (statvfs(state.c_str(), &disk) == 0) {
    const auto available = static_cast<int64_t>(disk.f_bavail) * static_cast<int64_t>(disk.f_frsize);
    const auto total = static_cast<int64_t>(disk.f_blocks) * static_cast<int64_t>(disk.f_frsize);
    status.set_disk_available_bytes(available);
    status.set_disk_pressure(available * 100 < total * kPressurePercent);
  }
  return status;
}

}  // namespace updraft::node_agent
