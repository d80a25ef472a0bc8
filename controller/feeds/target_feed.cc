#include "controller/feeds/target_feed.h"

#include <google/protobuf/util/message_differencer.h>

namespace updraft::controller {

using google::protobuf::util::MessageDifferencer;

void TargetFeed::Set(const v1::ScaleTarget& target) {
  const auto it = targets_.find(target.revision());
  if (it != targets_.end() && MessageDifferencer::Equals(it->second, target)) return;
  targets_.insert_or_assign(target.revision(), target);
  changed_.Changed(target.revision());
}

void TargetFeed::Remove(const std::string& key) {
  if (targets_.erase(key) > 0) changed_.Changed(key);
}

void TargetFeed::Subscribe(Subscriber subscriber) {
  new_.insert(subscriber);
  changed_.Subscribe(subscriber);
}

void TargetFeed::Unsubscribe(Subscriber subscriber) {
  new_.erase(subscriber);
  changed_.Unsubscribe(subscriber);
}

std::optional<v1::ScaleTargets> TargetFeed::Take(Subscriber subscriber) {
  const std::set<std::string> keys = changed_.Take(subscriber);
  v1::ScaleTargets update;
  if (new_.erase(subscriber) > 0) {
    update.set_full(true);
    for (const auto& [key, target] : targets_) *update.add_targets() = target;
    return update;
  }
  if (keys.empty()) return std::nullopt;
  for (const std::string& key : keys) {
    const auto it = targets_.find(key);
    if (it == targets_.end()) update.add_removed(key);
    if (it != targets_.end()) *update.add_targets() = it->second;
  }
  return update;
}

}  // namespace updraft::controller
