// The names of revisions: counted ones, and those that users bring. Pure.
#pragma once

#include <memory>
#include <string>

#include "core/api/json.h"

namespace updraft::controller {

// spec.template.metadata.name of a Configuration or Service; empty when the revision is counted.
std::string NamedRevision(const Json& configuration);

// The name that the revision of the configuration's generation has: the user's, or hello-00007.
std::string RevisionNameOf(const Json& configuration);

enum class NamedRevisionState {
  kFree,     // no revision has that name
  kMatches,  // it is this configuration's, of this generation or of the same spec: a rollback to it
  kLeftover,  // of an earlier configuration of the same name, about to go
  kConflict,
};
// `named`: the revision of that name, if there is one.
NamedRevisionState CheckNamedRevision(const Json& configuration,
                                      const std::shared_ptr<const Json>& named);

}  // namespace updraft::controller
