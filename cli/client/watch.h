// Follows a collection of objects until the caller has seen enough.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "cli/client/rest_client.h"

namespace updraft::cli {

struct WatchQuery {
  std::string path{};           // of a collection
  QueryParameters selectors{};  // fieldSelector, labelSelector
  std::optional<TimePoint> deadline = std::nullopt;
  Nanos tick = Millis(250);  // `look` is called at least this often
};

using ObjectsByName = std::map<std::string, Json>;  // "namespace/name"

// Returns false when it has seen enough. Level-triggered: what it is shown is all that there is
// now.
using Look = std::function<bool(const ObjectsByName&)>;

// Lists, then watches; lists anew when the server has forgotten or was away. True: `look` has seen
// enough; false: the deadline has passed. An error of the first listing is the result, later ones
// are waited out.
Result<bool> WatchObjects(RestClient& client, const WatchQuery& query, const Look& look);

// One event of a watch: applies it to `objects`. False: it cannot be followed any more, list anew.
// Pure.
bool ApplyWatchEvent(const Json& event, ObjectsByName& objects);

}  // namespace updraft::cli
