// The access log: workers write lines into memory of their own, a thread of the log carries them to
// the file. A file that is slow or full costs lines, which are counted, and never a request its time.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "activator/access_log/line_ring.h"
#include "activator/access_log/log_file.h"
#include "activator/access_log/log_template.h"
#include "activator/stats/event_count.h"
#include "core/base/loop.h"
#include "core/base/result.h"

namespace updraft::activator {

class AccessLog;

// One worker's end of the log. Its thread only, but for the counts.
class AccessLogSink {
 public:
  AccessLogSink(AccessLog& log, uint32_t worker, size_t bytes);

  // How requests are written from now on; null: they are not.
  void Use(std::shared_ptr<const LogTemplate> format) { format_ = std::move(format); }

  // Whether the request that begins now is to be logged: as many of all as the sample says.
  bool Samples();
  // A request that was sampled.
  void Write(const LogEntry& entry);

  uint64_t written() const { return written_.value(); }
  uint64_t dropped() const { return dropped_.value(); }

 private:
  friend class AccessLog;

  AccessLog& log_;
  std::shared_ptr<const LogTemplate> format_;
  LineRing ring_;
  std::string line_;
  uint64_t random_;
  EventCount written_;
  EventCount dropped_;
};

struct AccessLogOptions {
  std::string path = {};   // or "-" for standard output
  std::shared_ptr<const LogTemplate> format = {};  // null: nothing is logged before a sink is told to
  double sample = 1;       // of all requests, 0 ... 1
  uint32_t workers = 1;
  size_t bytes_per_worker = 1 << 20;  // a power of two
};

class AccessLog {
 public:
  // kUnavailable: the file cannot be opened.
  static Result<std::unique_ptr<AccessLog>> Open(AccessLogOptions options);
  // Writes what is still there. REQUIRES: no worker writes any more.
  ~AccessLog();

  AccessLogSink& sink(uint32_t worker) { return *sinks_[worker]; }
  // What it was opened with.
  const std::shared_ptr<const LogTemplate>& format() const { return options_.format; }

  // Any thread.
  uint64_t written() const;
  uint64_t dropped() const;

 private:
  friend class AccessLogSink;

  AccessLog(AccessLogOptions options, LogFile file);
  void Wake();
  void WriteOut();

  const AccessLogOptions options_;
  std::vector<std::unique_ptr<AccessLogSink>> sinks_;
  EventCount lost_;                // by the file
  std::atomic<bool> woken_{false};  // the log's thread will look

  // The log's thread.
  LogFile file_;
  bool complained_ = false;
  std::unique_ptr<LoopThread> thread_;
};

}  // namespace updraft::activator
