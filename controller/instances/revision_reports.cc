#include "controller/instances/revision_reports.h"

#include "controller/instances/fleet_views.h"

namespace updraft::controller {
namespace {

// Equal for equal observations: most of what happens to an instance changes nothing for its
// revision.
std::string TextOf(const RevisionObserved& o) {
  std::string text = std::to_string(o.known) + "," + std::to_string(o.ready) + "," +
                     std::to_string(o.starting) + "," + std::to_string(o.desired.value_or(-1)) +
                     "," + std::to_string(static_cast<int>(o.activity)) + "," +
                     std::to_string(o.initialized);
  if (o.failure) text += "," + o.failure->reason + "," + o.failure->message;
  return text;
}

}  // namespace

RevisionObserved RevisionReports::Observe(std::string_view ns, std::string_view name) const {
  return ObservedOf(fleet_loop_.fleet(), std::string(ns) + "/" + std::string(name),
                    fleet_loop_.Now().now);
}

void RevisionReports::OnFleetChanges(const Fleet& fleet, const FleetChanges& changes, Moment at) {
  for (const RevisionKey& key : changes.revisions) {
    if (!fleet.revisions().contains(key)) {
      told_.erase(key);
      continue;
    }
    std::string text = TextOf(ObservedOf(fleet, key, at.now));
    std::string& told = told_[key];
    if (told == text) continue;
    told = std::move(text);
    const size_t slash = key.find('/');
    if (on_changed_)
      on_changed_(std::string_view(key).substr(0, slash), std::string_view(key).substr(slash + 1));
  }
}

}  // namespace updraft::controller
