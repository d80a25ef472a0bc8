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

void TargetFeed::SetConfig(v1::AutoscalerConfig config) {
  if (MessageDifferencer::Equals(config, config_)) return;
  config_ = std::move(config);
  config_owed_ = subscribers_;
}

void TargetFeed::Subscribe(Subscriber subscriber) {
  subscribers_.insert(subscriber);
  new_.insert(subscriber);
  changed_.Subscribe(subscriber);
}

void TargetFeed::Unsubscribe(Subscriber subscriber) {
  new_.erase(subscriber);
  subscribers_.erase(subscriber);
  config_owed_.erase(subscriber);
  changed_.Unsubscribe(subscriber);
}

std::optional<v1::ScaleTargets> TargetFeed::Take(Subscriber subscriber) {
  const std::set<std::string> keys = changed_.Take(subscriber);
  v1::ScaleTargets update;
  const bool config_changed = config_owed_.erase(subscriber) > 0;
  if (new_.erase(subscriber) > 0) {
    update.set_full(true);
    *update.mutable_config() = config_;
    for (const auto& [key, target] : targets_) *update.add_targets() = target;
    return update;
  }
  if (keys.empty() && !config_changed) return std::nullopt;
  if (config_changed) *update.mutable_config() = config_;
  for (const std::string& key : keys) {
    const auto it = targets_.find(key);
    if (it == targets_.end()) update.add_removed(key);
    if (it != targets_.end()) *update.add_targets() = it->second;
  }
  return update;
}

}  // namespace updraft::controller
