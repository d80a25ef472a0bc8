// Threads for work that blocks: transfers, and calls that wait for containerd.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "core/base/loop.h"

namespace updraft::node_agent {

// Runs tasks first come, first served, on at most `threads_max` threads, which are started when
// there is work for them. Submit() is safe for concurrent use.
class WorkerPool {
 public:
  WorkerPool(std::string name, size_t threads_max);

  // Drops the tasks that have not begun and waits for the others. Whoever submitted a task must
  // have made it end soon before.
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  void Submit(std::function<void()> task);

 private:
  void Work();

  const std::string name_;
  const size_t threads_max_;

  // Guarded by mutex_.
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> tasks_;
  std::vector<NamedThread> threads_;
  size_t idle_ = 0;
  bool stopping_ = false;
};

}  // namespace updraft::node_agent
