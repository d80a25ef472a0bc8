#include "node-agent/logs/cri_record.h"

#include <array>
#include <cstdio>
#include <ctime>

namespace updraft::node_agent {

std::string FormatLogTime(WallTime time) {
  const int64_t nanos = UnixNanos(time);
  const auto seconds = static_cast<time_t>(nanos / 1'000'000'000);
  tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 80> text;  // room for years that cannot be
  std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%09dZ",
                parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min,
                parts.tm_sec, static_cast<int>(nanos % 1'000'000'000));
  return text.data();
}

void AppendRecord(std::string& out, std::string_view time, LogSource source, bool ends_line,
                  std::string_view content) {
  out += time;
  out += source == LogSource::kStdout ? " stdout " : " stderr ";
  out += ends_line ? "F " : "P ";
  out += content;
  out += '\n';
}

std::optional<CriRecord> ParseRecord(std::string_view line) {
  if (line.size() < kLogContentOffset || line[kLogTimeSize - 1] != 'Z') return std::nullopt;
  const std::string_view source = line.substr(kLogTimeSize, 8);
  const char tag = line[kLogTagOffset];
  if ((source != " stdout " && source != " stderr ") || (tag != 'F' && tag != 'P'))
    return std::nullopt;
  return CriRecord{line.substr(0, kLogTimeSize), tag == 'F', line.substr(kLogContentOffset)};
}

}  // namespace updraft::node_agent
