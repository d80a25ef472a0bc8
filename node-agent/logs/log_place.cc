#include "node-agent/logs/log_place.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

namespace updraft::node_agent {
namespace {

template <typename Number>
std::optional<Number> NumberIn(std::string_view text) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::vector<std::string> NamesIn(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    names.push_back(it->path().filename());
  }
  return names;
}

}  // namespace

std::string LogPath(const std::string& container_folder, int restart) {
  return container_folder + "/" + std::to_string(restart) + ".log";
}

std::vector<uint64_t> RotatedNumbers(const std::string& log_path) {
  const std::filesystem::path path(log_path);
  const std::string prefix = path.filename().string() + ".";
  std::vector<uint64_t> numbers;
  for (const std::string& name : NamesIn(path.parent_path())) {
    if (!name.starts_with(prefix)) continue;
    if (const auto number = NumberIn<uint64_t>(std::string_view(name).substr(prefix.size())))
      numbers.push_back(*number);
  }
  std::ranges::sort(numbers);
  return numbers;
}

std::vector<std::string> LogFilesOf(const std::string& log_path) {
  std::vector<std::string> files;
  for (const uint64_t number : RotatedNumbers(log_path))
    files.push_back(log_path + "." + std::to_string(number));
  std::error_code error;
  if (std::filesystem::exists(log_path, error)) files.push_back(log_path);
  return files;
}

std::vector<int> RestartsIn(const std::string& container_folder) {
  std::vector<int> restarts;
  for (const std::string& name : NamesIn(container_folder)) {
    if (!name.ends_with(".log")) continue;
    if (const auto restart = NumberIn<int>(std::string_view(name).substr(0, name.size() - 4)))
      restarts.push_back(*restart);
  }
  std::ranges::sort(restarts);
  return restarts;
}

std::optional<std::string> FileAfter(const std::string& log_path, int fd) {
  struct stat mine {};
  struct stat other {};
  if (fstat(fd, &mine) != 0) return std::nullopt;
  // Nearly always the newest file is the one that is read.
  if (stat(log_path.c_str(), &other) == 0 && other.st_ino == mine.st_ino) return std::nullopt;
  const std::vector<std::string> files = LogFilesOf(log_path);
  for (size_t i = 0; i < files.size(); ++i) {
    if (stat(files[i].c_str(), &other) != 0 || other.st_ino != mine.st_ino) continue;
    return i + 1 < files.size() ? std::optional(files[i + 1]) : std::nullopt;
  }
  // Removed since: all that is left is newer.
  return files.empty() ? std::nullopt : std::optional(files.front());
}

UniqueFd OpenForReading(const std::string& path) {
  return UniqueFd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
}

}  // namespace updraft::node_agent
