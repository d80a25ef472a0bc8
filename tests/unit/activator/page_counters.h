// What a metrics page says of counters, for tests.
#pragma once

#include <map>
#include <sstream>
#include <string>

namespace updraft::activator {

// The samples of all counters and histograms by name and labels: what may not go back.
inline std::map<std::string, double> CountersOf(const std::string& page) {
  std::map<std::string, double> counters;
  std::istringstream lines(page);
  bool counts = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# TYPE ")) counts = line.ends_with(" counter") || line.ends_with(" histogram");
    if (line.starts_with("#") || !counts) continue;
    const size_t value = line.rfind(' ');
    counters[line.substr(0, value)] = std::stod(line.substr(value));
  }
  return counters;
}

}  // namespace updraft::activator
