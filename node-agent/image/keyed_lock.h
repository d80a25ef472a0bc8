// One at a time per key: two images with a layer in common fetch and unpack it once.
#pragma once

#include <condition_variable>
#include <mutex>
#include <set>
#include <string>

namespace updraft::node_agent {

// Safe for concurrent use. Held() blocks; whoever holds a key must end when cancelled.
class KeyedLock {
 public:
  class Held {
   public:
    Held(KeyedLock& owner, std::string key) : owner_(owner), key_(std::move(key)) {
      std::unique_lock lock(owner_.mutex_);
      owner_.released_.wait(lock, [this] { return owner_.keys_.insert(key_).second; });
    }
    ~Held() {
      {
        const std::lock_guard lock(owner_.mutex_);
        owner_.keys_.erase(key_);
      }
      owner_.released_.notify_all();
    }
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;

   private:
    KeyedLock& owner_;
    const std::string key_;
  };

 private:
  // Guarded by mutex_.
  std::mutex mutex_;
  std::condition_variable released_;
  std::set<std::string> keys_;
};

}  // namespace updraft::node_agent
