// Which revisions' loads the autoscaler has to be told of. Control loop only; reads what the workers
// count without stopping them.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "activator/queue/revision.h"
#include "core/base/clock.h"

namespace updraft::activator {

struct LoadLine {
  std::string revision = {};
  LoadReading load = {};
  int64_t first_queued_ns = 0;  // wall clock; set: requests wait and there is no instance
};

class LoadLedger {
 public:
  explicit LoadLedger(const Clock& clock) : clock_(clock) {}

  // The revision is there; `has_instances`: some that take requests.
  void Set(std::shared_ptr<Revision> revision, bool has_instances);
  void Remove(const std::string& revision);
  // A worker counts for it. What no worker has met is not looked at, however much of it there is.
  void OnMet(const Revision& revision);

  // A request found no instance. What is to be said at once; nullopt: there is one by now, or the
  // revision is gone.
  std::optional<LoadLine> Demand(Revision& revision, WallTime queued);

  // All that has changed since it was last said here or in All(), and all demands that still stand.
  // Of a revision that is no more, once, that nothing waits or runs, if something did.
  std::vector<LoadLine> Changes();
  // Everything, for an autoscaler that knows nothing.
  std::vector<LoadLine> All();

  void ForEach(const std::function<void(const std::shared_ptr<Revision>&)>& see) const;
  // Those alone of which a worker counts something.
  void ForEachMet(const std::function<void(const Revision&)>& see) const;

 private:
  struct Entry {
    std::shared_ptr<Revision> revision = {};
    bool has_instances = false;
    int64_t first_queued_ns = 0;
    LoadReading said = {};
  };

  void End(const std::string& key, const Entry& entry);
  LoadLine Say(std::string_view key, Entry& entry, const LoadReading& load);
  static bool StillDemanded(Entry& entry);

  const Clock& clock_;
  std::map<std::string, Entry> entries_;
  std::map<std::string_view, Entry*> met_;  // into entries_
  std::map<std::string, LoadReading, std::less<>> ended_;  // what is to be said of those that are no more
};

}  // namespace updraft::activator
