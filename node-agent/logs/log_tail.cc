#include "node-agent/logs/log_tail.h"

#include <sys/stat.h>

#include <algorithm>
#include <ranges>

#include "node-agent/logs/cri_record.h"
#include "node-agent/logs/log_place.h"

namespace updraft::node_agent {
namespace {

constexpr size_t kBytesMax = 64 * 1024;

std::string LastBytesOf(const std::string& path, size_t bytes_max) {
  const UniqueFd file = OpenForReading(path);
  struct stat status {};
  if (!file || fstat(file.get(), &status) != 0) return "";
  const size_t size = std::min(bytes_max, static_cast<size_t>(status.st_size));
  std::string bytes(size, '\0');
  const ssize_t got =
      pread(file.get(), bytes.data(), size, status.st_size - static_cast<off_t>(size));
  bytes.resize(static_cast<size_t>(std::max<ssize_t>(got, 0)));
  return bytes;
}

// The records' contents; a record whose head was cut off is left out.
std::string ContentsOf(std::string_view records) {
  std::string text;
  while (!records.empty()) {
    const size_t line_end = std::min(records.find('\n'), records.size());
    const std::optional<CriRecord> record = ParseRecord(records.substr(0, line_end));
    if (record) (text += record->content) += record->ends_line ? "\n" : "";
    records.remove_prefix(std::min(line_end + 1, records.size()));
  }
  return text;
}

}  // namespace

std::string TailOfLog(const std::string& log_path, const LogTailLimits& limits) {
  std::string records;
  for (const std::string& path : LogFilesOf(log_path) | std::views::reverse) {
    if (records.size() >= kBytesMax) break;
    records.insert(0, LastBytesOf(path, kBytesMax - records.size()));
  }
  std::string text = ContentsOf(records);
  size_t begin = text.size();
  for (size_t lines = 0; lines < limits.lines_max && begin > 0; ++lines) {
    const size_t feed_before = begin < 2 ? std::string::npos : text.rfind('\n', begin - 2);
    begin = feed_before == std::string::npos ? 0 : feed_before + 1;
  }
  begin = std::max(begin, text.size() - std::min(text.size(), limits.bytes_max));
  return text.substr(begin);
}

}  // namespace updraft::node_agent
