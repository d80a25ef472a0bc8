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

  // The revision is there; `has_instances`: some that take requests. `settings`: as published, for ForEachMet().
  void Set(std::shared_ptr<Revision> revision, bool has_instances, std::shared_ptr<const RevisionSettings> settings = {});
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
  using SeeMet = std::function<void(const std::shared_ptr<const RevisionSettings>&, const Revision&)>;
  void ForEachMet(const SeeMet& see) const;

 private:
  struct Entry {
    std::shared_ptr<Revision> revision = {};
    std::shared_ptr<const RevisionSettings> settings = {};
    bool has_instances = false;
    int64_t first_queued_ns = 0;
    LoadReading said = {};
    std::optional<size_t> met_at = {};  // in met_
  };

  void Meet(Entry& entry);
  void End(const std::string& key, Entry& entry);
  LoadLine Say(std::string_view key, Entry& entry, const LoadReading& load);
  static bool StillDemanded(Entry& entry);

  const Clock& clock_;
  std::map<std::string, Entry> entries_;
  std::vector<Entry*> met_;  // into entries_; looked at every second, all of them
  std::map<std::string, LoadReading, std::less<>> ended_;  // what is to be said of those that are no more
};

}  // namespace updraft::activator
