// What the autoscaler is told of each revision, in full when it has just connected, then what has
// changed since. Pure.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "controller/feeds/change_set.h"
#include "updraft/v1/scaling.pb.h"

namespace updraft::controller {

class TargetFeed {
 public:
  using Subscriber = ChangeSets::Subscriber;

  void Set(const v1::ScaleTarget& target);
  void Remove(const std::string& key);
  // The data of ConfigMap config-autoscaler.
  void SetConfig(v1::AutoscalerConfig config);

  void Subscribe(Subscriber subscriber);
  void Unsubscribe(Subscriber subscriber);
  // What the subscriber has to be told now; nullopt: nothing. It counts as told.
  std::optional<v1::ScaleTargets> Take(Subscriber subscriber);

 private:
  std::map<std::string, v1::ScaleTarget> targets_;
  ChangeSets changed_;
  std::set<Subscriber> new_;
  v1::AutoscalerConfig config_;
  std::set<Subscriber> subscribers_;
  std::set<Subscriber> config_owed_;
};

}  // namespace updraft::controller
