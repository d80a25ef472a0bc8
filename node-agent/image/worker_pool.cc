#include "node-agent/image/worker_pool.h"

namespace updraft::node_agent {

WorkerPool::WorkerPool(std::string name, size_t threads_max)
    : name_(std::move(name)), threads_max_(threads_max) {}

WorkerPool::~WorkerPool() {
  std::vector<NamedThread> threads;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    tasks_.clear();
    threads.swap(threads_);
  }
  wake_.notify_all();
}

void WorkerPool::Submit(std::function<void()> task) {
  const std::lock_guard lock(mutex_);
  if (stopping_) return;
  tasks_.push_back(std::move(task));
  if (idle_ < tasks_.size() && threads_.size() < threads_max_) {
    threads_.emplace_back(name_, [this] { Work(); });
  }
  wake_.notify_one();
}

void WorkerPool::Work() {
  std::unique_lock lock(mutex_);
  while (true) {
    ++idle_;
    wake_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
    --idle_;
    if (stopping_) return;
    std::function<void()> task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    task();
    task = nullptr;  // what it holds is let go before the next wait
    lock.lock();
  }
}

}  // namespace updraft::node_agent
