#include "controller/reconcile/revision_name.h"

#include <cstdio>

#include "controller/reconcile/children.h"
#include "controller/reconcile/keys.h"
#include "core/api/access.h"
#include "core/api/meta.h"
#include "core/api/names.h"

namespace updraft::controller {

std::string NamedRevision(const Json& configuration) {
  return api::StringAt(configuration, {"spec", "template", "metadata", "name"});
}

std::string RevisionNameOf(const Json& configuration) {
  if (std::string name = NamedRevision(configuration); !name.empty()) return name;
  char number[24];
  std::snprintf(number, sizeof number, "-%05lld",
                static_cast<long long>(api::GenerationOf(configuration)));
  return api::ChildName(api::NameOf(configuration), number);
}

NamedRevisionState CheckNamedRevision(const Json& configuration,
                                      const std::shared_ptr<const Json>& named) {
  switch (OwnershipOf(named, configuration)) {
    case Ownership::kNone:
      return NamedRevisionState::kFree;
    case Ownership::kLeftover:
      return NamedRevisionState::kLeftover;
    case Ownership::kForeign:
      return NamedRevisionState::kConflict;
    case Ownership::kOurs:
      break;
  }
  const std::string generation = std::to_string(api::GenerationOf(configuration));
  if (api::LabelOf(*named, label::kConfigurationGeneration) == generation)
    return NamedRevisionState::kMatches;
  const bool same =
      api::ObjectAt(configuration, {"spec", "template", "spec"}) == api::ObjectAt(*named, {"spec"});
  return same ? NamedRevisionState::kMatches : NamedRevisionState::kConflict;
}

}  // namespace updraft::controller
