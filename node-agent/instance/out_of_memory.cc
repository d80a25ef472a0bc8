#include "node-agent/instance/out_of_memory.h"

#include <fstream>
#include <sstream>

namespace updraft::node_agent {

int64_t CounterIn(const std::string& text, const std::string& key) {
  std::istringstream lines(text);
  std::string name;
  int64_t number = 0;
  while (lines >> name >> number) {
    if (name == key) return number;
  }
  return 0;
}

bool HadOutOfMemoryKill(const CgroupRoot& root, const std::string& cgroup) {
  const bool unified = root.layout == CgroupLayout::kUnified;
  std::ifstream file(unified ? root.path + cgroup + "/memory.events"
                             : root.path + "/memory" + cgroup + "/memory.oom_control");
  std::ostringstream text;
  text << file.rdbuf();
  return CounterIn(text.str(), "oom_kill") > 0;
}

}  // namespace updraft::node_agent
