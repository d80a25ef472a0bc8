// Structured logs: events with fields, one JSON object a line on standard error.
//
//   Log(Level::kInfo, "instance_started", {{"instance", id}, {"took_ms", took}});
//
// Safe for concurrent use; a slow standard error never blocks the caller for longer than one write.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include "core/base/result.h"

namespace updraft {

enum class Level {
  kDebug,  // off unless asked for
  kInfo,   // state changed
  kWarn,   // we degraded
  kError,  // someone must act
};

struct LogField {
  std::string_view key;
  std::variant<std::string, int64_t, double, bool> value;

  LogField(std::string_view k, std::string v) : key(k), value(std::move(v)) {}
  LogField(std::string_view k, std::string_view v) : key(k), value(std::string(v)) {}
  LogField(std::string_view k, const char* v) : key(k), value(std::string(v)) {}
  LogField(std::string_view k, bool v) : key(k), value(v) {}
  LogField(std::string_view k, double v) : key(k), value(v) {}
  template <typename T>
    requires std::is_integral_v<T>
  LogField(std::string_view k, T v) : key(k), value(static_cast<int64_t>(v)) {}
};

// Call once in main, before threads. `component` is put in every line.
void StartLogging(std::string component, Level threshold = Level::kInfo);
Result<Level> ParseLevel(std::string_view name);

void Log(Level level, std::string_view event, std::initializer_list<LogField> fields = {});

}  // namespace updraft
