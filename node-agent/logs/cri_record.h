// One record of a container's log, in the format that Kubernetes' tools read:
//
//   2026-03-01T10:00:05.000123000Z stdout F the line
//
// F ends a line, P is a piece of one. The time always has nine digits and ends in Z, so records
// compare by their first bytes, and the tag stands at a fixed place. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/clock.h"

namespace updraft::node_agent {

enum class LogSource { kStdout, kStderr };

inline constexpr size_t kLogTimeSize = 30;
inline constexpr size_t kLogTagOffset = 38;  // from the record's begin
inline constexpr size_t kLogContentOffset = 40;

std::string FormatLogTime(WallTime time);

// Appends a record. `content` has no line feed.
void AppendRecord(std::string& out, std::string_view time, LogSource source, bool ends_line,
                  std::string_view content);

struct CriRecord {
  std::string_view time{};  // kLogTimeSize characters
  bool ends_line = true;
  std::string_view content{};
};

// `line` is without its line feed. nullopt: not written by us.
std::optional<CriRecord> ParseRecord(std::string_view line);

}  // namespace updraft::node_agent
