// Which routes all activators route by. Pure.
//
// Every change of a route makes a new version of the whole; an activator has reached a version once
// it routes by all changes up to it. A route that was confirmed stays so until it changes: an
// activator that comes later begins with everything, and one that went away is no reason to call it
// unserved.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace updraft::controller {

class RouteConfirmations {
 public:
  // Without effect when the route has that fingerprint already.
  void Set(const std::string& key, const std::string& fingerprint) {
    Route& route = routes_[key];
    if (route.fingerprint == fingerprint) return;
    route = {fingerprint, ++version_, false};
    pending_.insert(key);
  }
  // For a restarted controller: what a status says was confirmed to the one before it.
  void Assume(const std::string& key) {
    const auto it = routes_.find(key);
    if (it == routes_.end()) return;
    it->second.confirmed = true;
    pending_.erase(key);
  }
  void Remove(const std::string& key) {
    routes_.erase(key);
    pending_.erase(key);
  }
  bool Confirmed(const std::string& key, std::string_view fingerprint) const {
    const auto it = routes_.find(key);
    return it != routes_.end() && it->second.confirmed && it->second.fingerprint == fingerprint;
  }

  int64_t version() const { return version_; }
  void Join(uint64_t activator) { reached_[activator] = 0; }
  void Leave(uint64_t activator) { reached_.erase(activator); }
  void Reach(uint64_t activator, int64_t version) {
    int64_t& reached = reached_[activator];
    reached = std::max(reached, version);
  }

  // The routes that have been confirmed since it was last asked.
  std::vector<std::string> TakeConfirmed() {
    std::vector<std::string> confirmed;
    if (reached_.empty()) return confirmed;
    const int64_t all = std::ranges::min_element(reached_, {}, [](const auto& entry) {
                          return entry.second;
                        })->second;
    for (const std::string& key : pending_) {
      if (routes_[key].version <= all) confirmed.push_back(key);
    }
    for (const std::string& key : confirmed) Assume(key);
    return confirmed;
  }

 private:
  struct Route {
    std::string fingerprint;
    int64_t version = 0;
    bool confirmed = false;
  };

  int64_t version_ = 0;
  std::map<std::string, Route> routes_;
  std::set<std::string> pending_;
  std::map<uint64_t, int64_t> reached_;
};

}  // namespace updraft::controller
