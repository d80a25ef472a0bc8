#include "node-agent/logs/log_store.h"

#include <algorithm>
#include <filesystem>

#include "core/base/log.h"
#include "node-agent/logs/instance_record.h"
#include "node-agent/logs/log_place.h"
#include "node-agent/logs/log_tail.h"

namespace updraft::node_agent {
namespace {

constexpr Nanos kRetainEvery = Seconds(60);
constexpr Nanos kRetainSoon = Seconds(2);  // many instances that end together are looked at once
constexpr int kDeletionsPerTurn = 20;

uint64_t BytesUnder(const std::string& folder) {
  uint64_t bytes = 0;
  std::error_code error;
  for (std::filesystem::recursive_directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    std::error_code no_file;
    const uintmax_t size = it->is_regular_file(no_file) ? it->file_size(no_file) : 0;
    if (!no_file) bytes += size;
  }
  return bytes;
}

// A name of the caller's that becomes a part of a path.
bool IsPathPart(const std::string& name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos;
}

LogQuery QueryOf(const v1::ReadLogsRequest& request) {
  LogQuery query{.follow = request.follow(),
                 .previous = request.previous(),
                 .timestamps = request.timestamps()};
  if (request.has_tail_lines())
    query.tail_lines = static_cast<uint64_t>(std::max<int64_t>(request.tail_lines(), 0));
  if (request.has_since_ns()) query.since = FromUnixNanos(request.since_ns());
  if (request.has_limit_bytes())
    query.bytes_max = static_cast<uint64_t>(std::max<int64_t>(request.limit_bytes(), 0));
  return query;
}

}  // namespace

LogStore::LogStore(Loop& loop, const Clock& clock, LogStoreOptions options)
    : loop_(loop), clock_(clock), options_(std::move(options)) {
  Scan();
}

LogStore::~LogStore() { loop_.Cancel(retain_timer_); }

void LogStore::Scan() {
  std::error_code error;
  std::filesystem::create_directories(options_.root, error);
  for (std::filesystem::directory_iterator it(options_.root, error), end; !error && it != end;
       it.increment(error)) {
    const std::string folder = it->path();
    const std::optional<InstanceRecord> record = ReadInstanceRecord(folder);
    if (!record) continue;
    Entry entry{.instance = {record->instance_id, record->namespace_name, record->revision,
                             record->serving_container},
                .folder = folder,
                .finished_at = record->finished_at.value_or(WallTime{})};
    entries_.insert_or_assign(record->instance_id, std::move(entry));
  }
}

Status LogStore::Begin(const LoggedInstance& instance) {
  if (!IsPathPart(instance.instance_id) || !IsPathPart(instance.namespace_name)) {
    return Error{Code::kInvalidArgument,
                 "\"" + instance.namespace_name + "/" + instance.instance_id + "\" is no name"};
  }
  Entry& entry = entries_[instance.instance_id];
  entry.instance = instance;
  entry.folder = options_.root + "/" + instance.namespace_name + "_" + instance.instance_id;
  entry.lives = true;
  entry.finished_at = {};
  entry.signal->Reopen();
  std::error_code error;
  std::filesystem::create_directories(entry.folder, error);
  if (error)
    Log(Level::kWarn, "log_folder_missing", {{"path", entry.folder}, {"error", error.message()}});
  Remember(entry);
  return Ok();
}

void LogStore::Remember(const Entry& entry) const {
  InstanceRecord record{.instance_id = entry.instance.instance_id,
                        .namespace_name = entry.instance.namespace_name,
                        .revision = entry.instance.revision,
                        .serving_container = entry.instance.serving_container};
  if (!entry.lives) record.finished_at = entry.finished_at;
  WriteInstanceRecord(entry.folder, record);
}

void LogStore::AdoptionDone() {
  for (auto& [id, entry] : entries_) {
    if (!entry.lives && entry.finished_at == WallTime{}) entry.finished_at = clock_.Wall();
    if (entry.lives) continue;
    entry.bytes = BytesUnder(entry.folder);
    entry.signal->End();
  }
  Retain();
}

void LogStore::End(const std::string& instance_id) {
  const auto it = entries_.find(instance_id);
  if (it == entries_.end() || !it->second.lives) return;
  Entry& entry = it->second;
  entry.lives = false;
  entry.finished_at = clock_.Wall();
  entry.bytes = BytesUnder(entry.folder);
  Remember(entry);
  entry.signal->End();
  RetainAfter(kRetainSoon);
}

Result<std::unique_ptr<ContainerLog>> LogStore::NewLog(const std::string& instance_id,
                                                       const std::string& container, int restart) {
  const auto it = entries_.find(instance_id);
  if (it == entries_.end() || !IsPathPart(container)) {
    return Error{Code::kInvalidArgument,
                 "no place for a log of \"" + container + "\" in \"" + instance_id + "\""};
  }
  const std::string folder = it->second.folder + "/" + container;
  for (const int old : RestartsIn(folder)) {
    if (old >= restart - 1) continue;
    for (const std::string& path : LogFilesOf(LogPath(folder, old))) unlink(path.c_str());
  }
  return std::make_unique<ContainerLog>(loop_, clock_, options_.container, counters_,
                                        LogPath(folder, restart),
                                        [signal = it->second.signal] { signal->Raise(); });
}

Result<std::unique_ptr<LogStream>> LogStore::Read(const v1::ReadLogsRequest& request) {
  const auto it = entries_.find(request.instance_id());
  if (it == entries_.end())
    return Error{Code::kNotFound, "no logs of \"" + request.instance_id() + "\" on this node"};
  const Entry& entry = it->second;
  const std::string& container =
      request.container().empty() ? entry.instance.serving_container : request.container();
  const std::string of = "\"" + container + "\" in pod \"" + request.instance_id() + "\"";
  if (!IsPathPart(container))
    return Error{Code::kInvalidArgument, "container " + of + " is not a name"};
  const std::string folder = entry.folder + "/" + container;
  const size_t runs = RestartsIn(folder).size();
  if (request.previous() && runs < 2)
    return Error{Code::kNotFound, "previous terminated container " + of + " not found"};
  if (runs == 0 && !entry.lives) return Error{Code::kNotFound, "container " + of + " has no log"};
  if (runs == 0 && !request.follow())
    return Error{Code::kFailedPrecondition, "container " + of + " is waiting to start"};
  return std::make_unique<LogStream>(loop_, folder, entry.signal, QueryOf(request));
}

std::string LogStore::TerminationMessage(const std::string& instance_id,
                                         const std::string& container, int restart) const {
  const auto it = entries_.find(instance_id);
  if (it == entries_.end() || !IsPathPart(container)) return "";
  return TailOfLog(LogPath(it->second.folder + "/" + container, restart), {});
}

void LogStore::RetainAfter(Nanos delay) {
  const TimePoint when = loop_.Now() + delay;
  if (retain_timer_ != 0 && retain_at_ <= when) return;
  loop_.Cancel(retain_timer_);
  retain_at_ = when;
  retain_timer_ = loop_.At(when, [this] {
    retain_timer_ = 0;
    Retain();
  });
}

void LogStore::Retain() {
  std::vector<FinishedLogs> finished;
  for (const auto& [id, entry] : entries_) {
    if (!entry.lives)
      finished.push_back({id, entry.instance.revision, entry.finished_at, entry.bytes});
  }
  const std::vector<std::string> over = LogsToDelete(options_.retention, finished, clock_.Wall());
  int deletions = 0;
  for (const std::string& id : over) {
    if (deletions++ == kDeletionsPerTurn) return RetainAfter(Millis(1));
    std::error_code error;
    std::filesystem::remove_all(entries_.at(id).folder, error);
    if (error) Log(Level::kWarn, "log_not_deleted", {{"instance", id}, {"error", error.message()}});
    entries_.erase(id);
  }
  if (finished.size() > over.size()) RetainAfter(kRetainEvery);
}

}  // namespace updraft::node_agent
