#include "core/lease/process_mark.h"

#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <vector>

namespace updraft::lease {
namespace {

// Boot and PID namespace.
std::string OwnSurroundings() {
  std::string boot;
  std::getline(std::ifstream("/proc/sys/kernel/random/boot_id"), boot);
  std::array<char, 64> space{};  // "pid:[4026531836]"
  if (boot.empty() || readlink("/proc/self/ns/pid", space.data(), space.size() - 1) <= 0) return "";
  return boot + " " + space.data();
}

// State and start time (proc(5), stat); empty: there is no such process.
std::pair<std::string, std::string> StateAndStart(const std::string& pid) {
  std::ifstream file("/proc/" + pid + "/stat");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const size_t name_end = text.rfind(')');  // the name before it may hold anything
  if (name_end == std::string::npos) return {};
  std::istringstream rest(text.substr(name_end + 1));
  const std::vector<std::string> fields{std::istream_iterator<std::string>(rest), {}};
  if (fields.size() < 20) return {};
  return {fields[0], fields[19]};
}

}  // namespace

std::string OwnProcessMark() {
  const std::string around = OwnSurroundings();
  const std::string pid = std::to_string(getpid());
  const std::string start = StateAndStart(pid).second;
  return around.empty() || start.empty() ? "" : around + " " + pid + " " + start;
}

bool IsGone(std::string_view mark) {
  const std::string around = OwnSurroundings();
  if (around.empty() || !mark.starts_with(around + " ")) return false;
  std::istringstream rest{std::string(mark.substr(around.size()))};
  std::string pid;
  std::string start;
  if (!(rest >> pid >> start) || pid.find_first_not_of("0123456789") != std::string::npos)
    return false;
  const auto [state, started] = StateAndStart(pid);
  return started != start || state == "Z" || state == "X";
}

}  // namespace updraft::lease
