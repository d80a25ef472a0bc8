#include "node-agent/session/process_session.h"

#include <signal.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>

namespace updraft::node_agent {
namespace {

// A process that starts another while it is looked for is dead in the next round, and that other is found.
constexpr int kRoundsMax = 3;

std::string Contents(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

struct ProcessFacts {
  pid_t parent = 0;
  pid_t session = 0;
};

// Of /proc/PID/stat: "pid (name) state ppid pgrp session ...", where the name may hold anything. Zeros: it is dead.
ProcessFacts FactsOf(const std::filesystem::path& process) {
  const std::string text = Contents(process / "stat");
  const size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return {};
  std::istringstream fields(text.substr(name_end + 1));
  char state = 0;
  pid_t group = 0;
  ProcessFacts facts;
  fields >> state >> facts.parent >> group >> facts.session;
  return state == 'Z' || state == 'X' ? ProcessFacts{} : facts;
}

std::filesystem::path FolderOf(pid_t pid) { return "/proc/" + std::to_string(pid); }

std::optional<pid_t> PidOf(const std::string& name) {
  pid_t pid = 0;
  const auto [end, failed] = std::from_chars(name.data(), name.data() + name.size(), pid);
  if (failed != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return pid;
}

}  // namespace

pid_t OwnSession(pid_t pid) {
  const ProcessFacts process = FactsOf(FolderOf(pid));
  const ProcessFacts parent = FactsOf(FolderOf(process.parent));
  return process.session == parent.session ? 0 : process.session;
}

void KillSession(pid_t session, const std::string& cgroup) {
  bool found = true;
  for (int round = 0; found && round < kRoundsMax; ++round) {
    found = false;
    std::error_code error;
    for (std::filesystem::directory_iterator at("/proc", error), end; !error && at != end; at.increment(error)) {
      const std::optional<pid_t> pid = PidOf(at->path().filename());
      if (!pid || FactsOf(at->path()).session != session) continue;
      if (Contents(at->path() / "cgroup").find(cgroup) == std::string::npos) continue;
      found |= kill(*pid, SIGKILL) == 0;
    }
  }
}

}  // namespace updraft::node_agent
