// What one subscriber has not been told yet. Pure.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>

namespace updraft::controller {

// Keys whose newest state a subscriber lacks. As a set it is bounded by what there is, however slow
// the subscriber reads.
class ChangeSets {
 public:
  using Subscriber = uint64_t;

  void Subscribe(Subscriber subscriber) { changed_[subscriber]; }
  void Unsubscribe(Subscriber subscriber) { changed_.erase(subscriber); }
  void Changed(const std::string& key) {
    for (auto& [subscriber, keys] : changed_) keys.insert(key);
  }
  std::set<std::string> Take(Subscriber subscriber) {
    const auto it = changed_.find(subscriber);
    return it == changed_.end() ? std::set<std::string>() : std::exchange(it->second, {});
  }

 private:
  std::map<Subscriber, std::set<std::string>> changed_;
};

}  // namespace updraft::controller
