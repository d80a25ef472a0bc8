// All revisions and what is decided of them. Pure: what comes in are values and the time, what goes out are decisions.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "autoscaler/collect/load_book.h"
#include "autoscaler/kpa/revision_scaler.h"

namespace updraft::autoscaler {

struct RevisionDecision {
  std::string revision;  // "namespace/name"
  Decision decision;
  int64_t queued_ns = 0;  // of the request that made the decision necessary, else 0
  std::string uid = {};   // as in its target

  bool operator==(const RevisionDecision&) const = default;
};

// A report's line on one revision.
struct LoadLine {
  std::string revision;
  LoadFigures figures;
  int64_t first_queued_ns = 0;  // not 0: a request finds no instance
};

class Fleet {
 public:
  explicit Fleet(Defaults defaults) : defaults_(std::move(defaults)) {}

  void SetDefaults(const Defaults& defaults, TimePoint now);

  // The controller's word on a revision, new or changed. One with another uid begins anew, with nothing of what was
  // known of the earlier one but the requests that wait for the name.
  void Put(const std::string& revision, Target target, TimePoint now);
  void Remove(const std::string& revision);
  // The controller's full list begins: what is not Put before EndFull is removed, and returned by it.
  void BeginFull();
  std::vector<std::string> EndFull();

  void ActivatorConnected(const std::string& activator, int64_t epoch);
  void ActivatorGone(const std::string& activator);
  // A report, the stream's first or a later one.
  void Report(const std::string& activator, const std::vector<LoadLine>& lines, bool first_report, TimePoint now);

  // Every two seconds. `wall`: the same moment on the wall, for schedules.
  void Tick(TimePoint now, WallTime wall = {});

  // The decisions that have changed since the last call.
  std::vector<RevisionDecision> TakeChanges();
  // All of them, for a controller that has forgotten.
  std::vector<RevisionDecision> All() const;

  size_t size() const { return scalers_.size(); }
  bool activator_connected() const { return book_.AnyActivator(); }
  void ForEach(const std::function<void(const std::string&, const RevisionScaler&, const Decision&)>& see) const;

 private:
  struct Entry {
    explicit Entry(RevisionScaler s) : scaler(std::move(s)) {}
    RevisionScaler scaler;
    Decision decision;
    bool listed = true;   // in the full list that is under way
    bool changed = true;
    int64_t queued_ns = 0;
  };

  void Settle(const std::string& revision, Entry& entry, Decision decision, int64_t queued_ns);

  Defaults defaults_;
  LoadBook book_;
  std::unordered_map<std::string, Entry> scalers_;
  std::vector<std::string> changed_;
};

}  // namespace updraft::autoscaler
