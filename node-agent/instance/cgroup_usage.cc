#include "node-agent/instance/cgroup_usage.h"

#include <algorithm>
#include <fstream>
#include <sstream>

namespace updraft::node_agent {
namespace {

std::optional<std::string> TextOf(const std::string& path) {
  std::ifstream file(path);
  if (!file) return std::nullopt;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::optional<int64_t> NumberIn(const std::string& path) {
  std::ifstream file(path);
  int64_t number = 0;
  if (!(file >> number)) return std::nullopt;
  return number;
}

}  // namespace

std::optional<CgroupUsage> ReadCgroupUsage(const CgroupRoot& root, const std::string& cgroup) {
  const bool unified = root.layout == CgroupLayout::kUnified;
  const std::string memory = unified ? root.path + cgroup : root.path + "/memory" + cgroup;
  const auto used = NumberIn(memory + (unified ? "/memory.current" : "/memory.usage_in_bytes"));
  const auto details = TextOf(memory + "/memory.stat");
  if (!used || !details) return std::nullopt;
  CgroupUsage usage;
  const int64_t droppable = CounterIn(*details, unified ? "inactive_file" : "total_inactive_file");
  usage.memory_bytes = std::max<int64_t>(0, *used - droppable);
  if (unified) {
    const auto cpu = TextOf(root.path + cgroup + "/cpu.stat");
    if (!cpu) return std::nullopt;
    usage.cpu_ns = CounterIn(*cpu, "usage_usec") * 1000;
  } else {
    const auto cpu = NumberIn(root.path + "/cpuacct" + cgroup + "/cpuacct.usage");
    if (!cpu) return std::nullopt;
    usage.cpu_ns = *cpu;
  }
  return usage;
}

}  // namespace updraft::node_agent
