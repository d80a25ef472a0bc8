// What the server tells about itself: groups, versions and resources, in the legacy and the
// aggregated form, and its version. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/api/json.h"

namespace updraft::controller {

struct GroupVersion {
  std::string group = {};  // empty: core
  std::string version = {};

  // "api/v1", "apis/serving.knative.dev/v1"
  std::string Path() const;
};

// All that the table of kinds has, in its order.
std::vector<GroupVersion> GroupVersions();

Json CoreVersions();                             // GET /api
Json GroupList();                                // GET /apis
Json Group(std::string_view group);              // GET /apis/GROUP; null: no such group
Json ResourceList(const GroupVersion& version);  // GET /api/v1, /apis/GROUP/VERSION
// GET /api and /apis with ...;as=APIGroupDiscoveryList. `version`: v2 or v2beta1.
Json AggregatedDiscovery(bool core, const std::string& version);

// GET /version. `release`: of this program.
Json Version(const std::string& release);

}  // namespace updraft::controller
