// All containers' logs on a node: opened for writing when a container starts, served to readers,
// kept for a while after their instance is over, then deleted.
//
// A log outlives the agent: the next one finds it by its folder (log_place.h), tells the store
// which instances it adopted, and the rest counts as over.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "node-agent/logs/container_log.h"
#include "node-agent/logs/log_stream.h"
#include "node-agent/logs/retention.h"
#include "updraft/v1/node.pb.h"

namespace updraft::node_agent {

struct LoggedInstance {
  std::string instance_id{};
  std::string namespace_name{};
  std::string revision{};           // "namespace/name"
  std::string serving_container{};  // read when a caller names none
};

struct LogStoreOptions {
  std::string root{};  // STATE/logs
  ContainerLogOptions container{};
  RetentionPolicy retention{};
};

// Loop thread only. The logs and streams that it hands out must not outlive it.
class LogStore {
 public:
  // Reads what lies under the root; nothing is deleted before AdoptionDone().
  LogStore(Loop& loop, const Clock& clock, LogStoreOptions options);
  ~LogStore();
  LogStore(const LogStore&) = delete;
  LogStore& operator=(const LogStore&) = delete;

  // The instance lives; again after an adoption. kInvalidArgument: a name that cannot be a
  // folder's. A node whose disk is full goes on without the instance's logs.
  Status Begin(const LoggedInstance& instance);
  // Every instance that lives has been told of by Begin().
  void AdoptionDone();
  // The instance is over: its logs stay for a while, who follows them is at the end. No effect when
  // unknown.
  void End(const std::string& instance_id);

  // The log of one run of one container. Runs before the previous one are deleted.
  // kInvalidArgument: Begin() was not called, or the container's name cannot be a folder's.
  Result<std::unique_ptr<ContainerLog>> NewLog(const std::string& instance_id,
                                               const std::string& container, int restart);

  // kNotFound: no such instance, container or run here, in kubectl's words.
  Result<std::unique_ptr<LogStream>> Read(const v1::ReadLogsRequest& request);

  // The end of a run's log, as kubelet puts it in a termination message: 80 lines, 2048 bytes at
  // most.
  std::string TerminationMessage(const std::string& instance_id, const std::string& container,
                                 int restart) const;

  const LogCounters& counters() const { return counters_; }

 private:
  struct Entry {
    LoggedInstance instance{};
    std::string folder{};
    bool lives = false;
    WallTime finished_at{};
    uint64_t bytes = 0;  // once it is over
    std::shared_ptr<LogSignal> signal = std::make_shared<LogSignal>();
  };

  void Scan();
  void Remember(const Entry& entry) const;
  void Retain();
  void RetainAfter(Nanos delay);

  Loop& loop_;
  const Clock& clock_;
  const LogStoreOptions options_;
  std::map<std::string, Entry> entries_;  // by instance id
  LogCounters counters_;
  Loop::TimerId retain_timer_ = 0;
  TimePoint retain_at_{};  // while the timer is set
};

}  // namespace updraft::node_agent
