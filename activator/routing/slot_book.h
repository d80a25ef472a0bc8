// Slots that are shared with other activators: what this one was granted of each instance, and what it has
// given back. One thread; the instances' words are shared with the workers.
//
// Both are counted up over an epoch, so that a message that comes late or twice does no harm: what an
// instance's limit should be is their difference, and what was returned can be read off its word at any time.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "activator/queue/instance.h"

namespace updraft::activator {

class SlotBook {
 public:
  using Counts = std::vector<std::pair<std::string, uint32_t>>;  // by instance

  // From now on slots are shared; of `known` all are ours. Counting begins anew.
  void Share(int64_t epoch, const std::vector<std::shared_ptr<Instance>>& known);
  // Nobody else has any: nothing is counted.
  void Unshare();
  // True from the beginning: who was told nothing holds nothing.
  bool shared() const { return shared_; }
  int64_t epoch() const { return epoch_; }

  // A stream begins: with it counting. What is held.
  Counts Held();

  // The rest: REQUIRES: shared().

  // The instance as it was known, or null.
  std::shared_ptr<Instance> Find(const std::string& id) const;
  // Takes the place of the one that was known: has its slots, none if there was none.
  void Set(const std::shared_ptr<Instance>& instance);
  // In all, in this epoch. True: there are more than before.
  bool Grant(const std::string& id, uint32_t granted);
  void GiveUpIdle(const std::string& id);
  void GiveUpAllIdle();
  void Forget(const std::string& id);
  // It may have given some back.
  void Look(const std::string& id);

  // Instances that have given some back since it was last asked, with the epoch's sum.
  Counts TakeReturned();

 private:
  struct Record {
    std::shared_ptr<Instance> instance = {};  // null: not heard of yet
    uint32_t granted = 0;
    uint32_t returned = 0;  // as seen last
    uint32_t Left() const { return instance ? instance->limit() : granted - returned; }
  };
  void Look(const std::string& id, Record& record);

  bool shared_ = true;
  int64_t epoch_ = 0;
  std::unordered_map<std::string, Record> records_;
  std::map<std::string, uint32_t> untold_;
};

}  // namespace updraft::activator
