#include "node-agent/logs/log_stream.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "node-agent/logs/cri_record.h"
#include "node-agent/logs/log_place.h"

namespace updraft::node_agent {
namespace {

constexpr size_t kReadBytes = 64 * 1024;
constexpr int kRefillsPerCall = 4;  // of records that a filter may leave nothing of

}  // namespace

LogStream::LogStream(Loop& loop, std::string container_folder, std::shared_ptr<LogSignal> signal,
                     const LogQuery& query)
    : loop_(loop),
      folder_(std::move(container_folder)),
      signal_(std::move(signal)),
      query_(query),
      since_(query.since ? FormatLogTime(*query.since) : ""),
      bytes_left_(query.bytes_max.value_or(std::numeric_limits<uint64_t>::max())) {
  signal_->Add(this);
}

LogStream::~LogStream() {
  signal_->Remove(this);
  loop_.Cancel(more_timer_);
}

std::string LogStream::Next(size_t bytes_max) {
  changed_ = false;
  busy_ = false;
  if (at_end_ || bytes_max == 0) return "";
  if (restart_ < 0 && !BeginRun()) {
    at_end_ = !query_.follow || signal_->ended();
    return "";
  }
  if (locator_ && !Locate()) {
    busy_ = true;
    return "";
  }
  std::string text = ReadRecords(bytes_max);
  if (text.size() >= bytes_left_) {
    text.resize(bytes_left_);
    at_end_ = true;
  }
  bytes_left_ -= text.size();
  return text;
}

// Opens the files of the run that the query asks for. False: there is none yet.
bool LogStream::BeginRun() {
  const std::vector<int> restarts = RestartsIn(folder_);
  const size_t back = query_.previous ? 2 : 1;
  if (restarts.size() < back) return false;
  restart_ = restarts[restarts.size() - back];
  std::vector<int> fds;
  for (const std::string& path : LogFilesOf(LogPath(folder_, restart_))) {
    UniqueFd file = OpenForReading(path);
    if (!file) continue;
    fds.push_back(file.get());
    located_files_.push_back(std::move(file));
  }
  if (query_.tail_lines) {
    locator_.emplace(std::move(fds), *query_.tail_lines);
  } else if (!located_files_.empty()) {
    file_ = std::move(located_files_.front());
    located_files_.clear();
  }
  return true;
}

bool LogStream::Locate() {
  if (!locator_->Step()) return false;
  const LogPosition position = locator_->position();
  if (position.file < located_files_.size()) file_ = std::move(located_files_[position.file]);
  offset_ = position.offset;
  located_files_.clear();
  locator_.reset();
  return true;
}

std::string LogStream::ReadRecords(size_t bytes_max) {
  std::string text;
  for (int refills = 0; text.size() < bytes_max;) {
    const size_t line_end = unread_.find('\n', unread_from_);
    if (line_end != std::string::npos) {
      Render(std::string_view(unread_).substr(unread_from_, line_end - unread_from_), text);
      unread_from_ = line_end + 1;
      continue;
    }
    if (refills++ == kRefillsPerCall) {
      busy_ = true;
      return text;
    }
    if (!Refill()) {
      AtEndOfRun();
      return text;
    }
  }
  busy_ = true;
  return text;
}

// Reads on, in the next file if this one is at its end. False: there is no more now.
bool LogStream::Refill() {
  unread_.erase(0, std::exchange(unread_from_, 0));
  while (true) {
    if (!file_) {
      file_ = OpenForReading(LogPath(folder_, restart_));
      if (!file_) return false;
    }
    // Before the read: what is written before the file is rotated is then surely read.
    const std::optional<std::string> next = FileAfter(LogPath(folder_, restart_), file_.get());
    const size_t had = unread_.size();
    unread_.resize(had + kReadBytes);
    const ssize_t got =
        pread(file_.get(), unread_.data() + had, kReadBytes, static_cast<off_t>(offset_));
    unread_.resize(had + static_cast<size_t>(std::max<ssize_t>(got, 0)));
    if (got > 0) {
      offset_ += static_cast<uint64_t>(got);
      return true;
    }
    if (!next) return false;
    file_ = OpenForReading(*next);
    offset_ = 0;
  }
}

void LogStream::Render(std::string_view line, std::string& out) {
  const std::optional<CriRecord> record = ParseRecord(line);
  if (!record) {  // not ours: shown as it is
    (out += line) += '\n';
    at_line_start_ = true;
    return;
  }
  if (record->time < since_) return;
  if (at_line_start_ && query_.timestamps) (out += record->time) += ' ';
  out += record->content;
  if (record->ends_line) out += '\n';
  at_line_start_ = record->ends_line;
}

// The run's log is read to its present end.
void LogStream::AtEndOfRun() {
  if (!query_.follow || query_.previous) {
    at_end_ = true;
    return;
  }
  const std::vector<int> restarts = RestartsIn(folder_);
  const auto next = std::ranges::upper_bound(restarts, restart_);
  if (next == restarts.end()) {
    at_end_ = signal_->ended();
    return;
  }
  restart_ = *next;
  file_.Reset();
  offset_ = 0;
  unread_.clear();
  unread_from_ = 0;
  at_line_start_ = true;
  busy_ = true;
}

void LogStream::OnMore(std::function<void()> more) {
  more_ = std::move(more);
  if (busy_ || changed_ || at_end_) ScheduleMore();
}

void LogStream::OnLogChanged() {
  changed_ = true;
  if (more_) ScheduleMore();
}

// Also gathers the changes of one turn into one call.
void LogStream::ScheduleMore() {
  if (more_timer_ != 0) return;
  more_timer_ = loop_.After(Nanos(0), [this] {
    more_timer_ = 0;
    const std::function<void()> more = std::exchange(more_, nullptr);
    more();  // last: it may destroy the stream
  });
}

}  // namespace updraft::node_agent
