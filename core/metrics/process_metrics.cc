#include "core/metrics/process_metrics.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <optional>
#include <sstream>
#include <string>

namespace updraft::metrics {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

MetricFamily Single(const char* name, const char* help, MetricType type, double value) {
  MetricFamily family{name, help, type, {}};
  prometheus::ClientMetric& metric = family.metric.emplace_back();
  metric.counter.value = value;
  metric.gauge.value = value;
  return family;
}

// Those fields of /proc/self/stat that are of use; the second field, in parentheses, may hold
// spaces.
struct Stat {
  double cpu_seconds = 0;
  double threads = 0;
  double start_ticks = 0;
  double virtual_bytes = 0;
  double resident_bytes = 0;
};

std::optional<Stat> ReadStat() {
  std::ifstream file("/proc/self/stat");
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  const size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream rest(line.substr(name_end + 1));
  std::vector<std::string> fields;  // fields[0] is the third of proc(5)
  for (std::string field; rest >> field;) fields.push_back(field);
  if (fields.size() < 22) return std::nullopt;
  const auto number = [&fields](size_t proc_index) { return std::stod(fields[proc_index - 3]); };
  const auto ticks_per_second = static_cast<double>(sysconf(_SC_CLK_TCK));
  Stat stat;
  stat.cpu_seconds = (number(14) + number(15)) / ticks_per_second;
  stat.threads = number(20);
  stat.start_ticks = number(22) / ticks_per_second;
  stat.virtual_bytes = number(23);
  stat.resident_bytes = number(24) * static_cast<double>(sysconf(_SC_PAGESIZE));
  return stat;
}

std::optional<double> BootTime() {
  std::ifstream file("/proc/stat");
  for (std::string word; file >> word;) {
    double seconds = 0;
    if (word == "btime" && file >> seconds) return seconds;
  }
  return std::nullopt;
}

std::optional<double> OpenDescriptors() {
  DIR* directory = opendir("/proc/self/fd");
  if (directory == nullptr) return std::nullopt;
  double count = -3;  // ".", ".." and the one that reads
  while (readdir(directory) != nullptr) ++count;
  closedir(directory);
  return count;
}

}  // namespace

std::vector<MetricFamily> ProcessMetrics::Collect() const {
  std::vector<MetricFamily> families;
  if (const std::optional<Stat> stat = ReadStat()) {
    families.push_back(Single("process_cpu_seconds_total",
                              "Total user and system CPU time spent in seconds.",
                              MetricType::Counter, stat->cpu_seconds));
    families.push_back(Single("process_resident_memory_bytes", "Resident memory size in bytes.",
                              MetricType::Gauge, stat->resident_bytes));
    families.push_back(Single("process_virtual_memory_bytes", "Virtual memory size in bytes.",
                              MetricType::Gauge, stat->virtual_bytes));
    families.push_back(Single("process_threads", "Number of OS threads in the process.",
                              MetricType::Gauge, stat->threads));
    if (const std::optional<double> boot = BootTime()) {
      families.push_back(Single("process_start_time_seconds",
                                "Start time of the process since unix epoch in seconds.",
                                MetricType::Gauge, *boot + stat->start_ticks));
    }
  }
  if (const std::optional<double> open = OpenDescriptors()) {
    families.push_back(
        Single("process_open_fds", "Number of open file descriptors.", MetricType::Gauge, *open));
  }
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    families.push_back(Single("process_max_fds", "Maximum number of open file descriptors.",
                              MetricType::Gauge, static_cast<double>(limit.rlim_cur)));
  }
  return families;
}

}  // namespace updraft::metrics
