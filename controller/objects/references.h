// Which objects another one was made from, so that a change of one of those finds all that it
// concerns without a walk over everything. Pure.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "controller/objects/object_store.h"

namespace updraft::controller {

class References {
 public:
  // What `from` refers to, whether that exists or not; it replaces what was said of it before.
  void Set(const ObjectKey& from, std::set<ObjectKey> to) {
    Remove(from);
    if (to.empty()) return;
    for (const ObjectKey& key : to) from_[key].insert(from);
    to_[from] = std::move(to);
  }

  void Remove(const ObjectKey& from) {
    const auto known = to_.extract(from);
    if (known.empty()) return;
    for (const ObjectKey& key : known.mapped()) {
      const auto users = from_.find(key);
      users->second.erase(from);
      if (users->second.empty()) from_.erase(users);
    }
  }

  // A copy: it may be Set while it is walked over.
  std::vector<ObjectKey> To(const ObjectKey& key) const {
    const auto users = from_.find(key);
    if (users == from_.end()) return {};
    return {users->second.begin(), users->second.end()};
  }

 private:
  std::map<ObjectKey, std::set<ObjectKey>> to_;
  std::map<ObjectKey, std::set<ObjectKey>> from_;
};

}  // namespace updraft::controller
