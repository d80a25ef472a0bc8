#include "node-agent/spec/host_facts.h"

#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include <charconv>
#include <fstream>
#include <sstream>

#include "node-agent/spec/capabilities.h"

namespace updraft::node_agent {
namespace {

bool Exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

CgroupLayout Layout(const std::string& root) {
  if (Exists(root + "/cgroup.controllers")) return CgroupLayout::kUnified;
  if (Exists(root + "/unified/cgroup.procs")) return CgroupLayout::kHybrid;
  return CgroupLayout::kV1;
}

// On v2 the file is in every cgroup but the root one: ours tells.
bool SwapLimit(const std::string& root, CgroupLayout layout) {
  if (layout != CgroupLayout::kUnified) return Exists(root + "/memory/memory.memsw.limit_in_bytes");
  const std::string own = ReadFile("/proc/self/cgroup");
  const size_t start = own.find("0::");
  if (start == std::string::npos) return false;
  const size_t end = own.find('\n', start);
  return Exists(root + own.substr(start + 3, end - start - 3) + "/memory.swap.max");
}

std::vector<std::string> BoundingSet() {
  const std::string status = ReadFile("/proc/self/status");
  constexpr std::string_view kKey = "CapBnd:\t";
  const size_t start = status.find(kKey);
  if (start == std::string::npos) return {};
  uint64_t mask = 0;
  const char* digits = status.data() + start + kKey.size();
  std::from_chars(digits, status.data() + status.size(), mask, 16);
  return CapabilitiesOf(mask);
}

}  // namespace

HostFacts ReadHostFacts(const std::string& cgroup_root) {
  HostFacts facts;
#if defined(__aarch64__)
  facts.architecture = Architecture::kArm64;
#endif
  facts.cgroups = Layout(cgroup_root);
  facts.swap_limit = SwapLimit(cgroup_root, facts.cgroups);
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) facts.open_files_max = files.rlim_max;
  std::istringstream(ReadFile("/proc/self/oom_score_adj")) >> facts.oom_score_adjust;
  facts.capabilities = BoundingSet();
  struct sysinfo memory {};
  if (sysinfo(&memory) == 0) {
    facts.memory_bytes = static_cast<int64_t>(memory.totalram) * static_cast<int64_t>(memory.mem_unit);
  }
  facts.cpus = sysconf(_SC_NPROCESSORS_ONLN);
  return facts;
}

}  // namespace updraft::node_agent
