#include <algorithm>
#include <set>

#include "cli/client/resource.h"
#include "cli/client/verbs.h"
#include "cli/client/wish.h"
#include "core/api/meta.h"

namespace updraft::cli {
namespace {

std::string ShownDuration(Nanos duration) { return std::to_string(duration / Seconds(1)) + "s"; }

// The objects that one argument stands for: one by name, or those that a selector picks.
struct Awaited {
  ResourceName resource{};
  std::string selector{};
};

WatchQuery QueryOf(const Session& session, const Awaited& target, TimePoint deadline) {
  WatchQuery query{.path = CollectionPath(*target.resource.kind, session.namespace_name),
                   .deadline = deadline};
  if (!target.resource.name.empty())
    query.selectors.emplace_back("fieldSelector", "metadata.name=" + target.resource.name);
  if (!target.selector.empty()) query.selectors.emplace_back("labelSelector", target.selector);
  return query;
}

// For `delete`: those that were there at the beginning, until each is gone or is another of the
// same name.
class Departure {
 public:
  bool Gone(const ObjectsByName& objects) {
    std::set<std::string> uids;
    for (const auto& [name, object] : objects) uids.insert(api::UidOf(object));
    if (!waited_for_) waited_for_ = uids;
    return std::ranges::none_of(*waited_for_,
                                [&](const std::string& uid) { return uids.contains(uid); });
  }

 private:
  std::optional<std::set<std::string>> waited_for_;
};

Status WaitForOne(const Session& session, const Awaited& target, const Wish& wish,
                  const WaitOptions& options) {
  const TimePoint deadline = RealClock().Now() + options.timeout;
  Departure departure;
  ObjectsByName last;
  bool none_at_first = false;
  bool first = true;
  const auto unfulfilled = [&](const auto& entry) { return !Fulfils(entry.second, wish); };
  const Result<bool> seen = WatchObjects(
      session.client, QueryOf(session, target, deadline), [&](const ObjectsByName& objects) {
        if (wish.deleted) return !departure.Gone(objects);
        last = objects;
        none_at_first = std::exchange(first, false) && objects.empty();
        return !none_at_first && (objects.empty() || std::ranges::any_of(objects, unfulfilled));
      });
  if (!seen) return seen.error();
  if (none_at_first) return Error{Code::kNotFound, "not found"};
  if (*seen) return Ok();
  const auto culprit = std::ranges::find_if(last, unfulfilled);
  const std::string why = culprit == last.end() ? "" : " (" + WhyNot(culprit->second, wish) + ")";
  return Error{Code::kDeadlineExceeded, "timed out after " + ShownDuration(options.timeout) + why};
}

}  // namespace

int Wait(const Session& session, const WaitOptions& options) {
  const Result<Wish> wish = ParseWish(options.wish);
  if (!wish) return Fail(session.console, wish.error());
  const Result<std::vector<ResourceName>> resources = ParseResources(options.resources);
  if (!resources) return Fail(session.console, resources.error());
  for (const ResourceName& resource : *resources) {
    const std::string shown = resource.name.empty() ? resource.kind->QualifiedResource()
                                                    : PrintedName(*resource.kind, resource.name);
    const Status waited = WaitForOne(session, {resource, options.selector}, *wish, options);
    if (!waited) return Fail(session.console, Context(shown, waited.error()));
    session.console.out << shown << (wish->deleted ? " deleted" : " condition met") << std::endl;
  }
  return 0;
}

}  // namespace updraft::cli
