// Reads one container's log for one caller: from the lines asked for to the end, and on as it
// grows.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/loop.h"
#include "core/base/result.h"
#include "core/base/unique_fd.h"
#include "node-agent/logs/log_signal.h"
#include "node-agent/logs/tail_locator.h"

namespace updraft::node_agent {

struct LogQuery {
  bool follow = false;
  bool previous = false;    // of the run before the last
  bool timestamps = false;  // each line begins with its time
  std::optional<uint64_t> tail_lines = std::nullopt;
  std::optional<WallTime> since = std::nullopt;
  std::optional<uint64_t> bytes_max = std::nullopt;
};

// Loop thread only. No call takes longer than reading 256 kB; memory is bounded whatever the log's
// size.
//
//   pump: while (!(text = Next(n)).empty()) send it;  if (!AtEnd()) OnMore(pump)
class LogStream final : private LogSignal::Listener {
 public:
  // The log of the container whose runs lie in `container_folder`. With `follow` it goes on over
  // restarts until the instance is gone. REQUIRES: RestartsIn(container_folder) has what the query
  // asks for, or the query follows.
  LogStream(Loop& loop, std::string container_folder, std::shared_ptr<LogSignal> signal,
            const LogQuery& query);
  ~LogStream();
  LogStream(const LogStream&) = delete;
  LogStream& operator=(const LogStream&) = delete;

  // The next text, at most `bytes_max` and one record (16 kB) of it. Empty: at the end, or nothing
  // now.
  std::string Next(size_t bytes_max);
  bool AtEnd() const { return at_end_; }

  // Calls `more` once, on the loop, never from within OnMore(), when Next() is worth another call.
  // The stream may be destroyed from there.
  void OnMore(std::function<void()> more);

 private:
  void OnLogChanged() override;
  void ScheduleMore();

  bool BeginRun();
  bool Locate();
  std::string ReadRecords(size_t bytes_max);
  bool Refill();
  void Render(std::string_view line, std::string& out);
  void AtEndOfRun();

  Loop& loop_;
  const std::string folder_;
  const std::shared_ptr<LogSignal> signal_;
  const LogQuery query_;
  const std::string since_;  // as a record's time; empty: from the beginning

  int restart_ = -1;  // whose log is read; -1: none has been found yet
  bool first_run_ = true;
  std::vector<UniqueFd> located_files_;  // while the tail is looked for
  std::optional<TailLocator> locator_;
  UniqueFd file_;
  uint64_t offset_ = 0;
  std::string unread_;  // bytes read, rendered up to unread_from_
  size_t unread_from_ = 0;
  bool at_line_start_ = true;
  uint64_t bytes_left_;
  bool at_end_ = false;
  bool changed_ = false;  // since the last Next() began
  bool busy_ = false;     // the last Next() stopped before it knew that there is no more
  std::function<void()> more_;
  Loop::TimerId more_timer_ = 0;
};

}  // namespace updraft::node_agent
