// A folder that is gone when the test is over, and shorthands for logs in it.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "node-agent/logs/cri_record.h"

namespace updraft::node_agent {

class TempFolder {
 public:
  TempFolder() {
    std::string pattern = std::filesystem::temp_directory_path() / "updraft-logs-XXXXXX";
    path_ = mkdtemp(pattern.data());
  }
  ~TempFolder() { std::filesystem::remove_all(path_); }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline std::string ReadFile(const std::string& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// A record of second `at` of some day.
inline std::string Record(int64_t at, std::string_view content, bool ends_line = true) {
  std::string out;
  AppendRecord(out, FormatLogTime(WallTime(Seconds(1'700'000'000 + at))), LogSource::kStdout,
               ends_line, content);
  return out;
}

}  // namespace updraft::node_agent
