// Fills in what a manifest leaves out, as Knative's and Kubernetes' servers do. Pure.
#pragma once

#include <string>

#include "core/api/json.h"
#include "core/api/kinds.h"
#include "core/api/serving_config.h"

namespace updraft::api {

struct WriteContext {
  const ServingConfig* config = nullptr;
  std::string user;           // for the creator and lastModifier annotations
  const Json* old = nullptr;  // the stored object on an update, nullptr on a create
  // Knative then asks Kubernetes for the Pod as well, whose word goes (see ValidatePod).
  bool dry_run = false;
};

// `object` conforms to the kind's schema. A second call changes nothing.
void SetDefaults(const Kind& kind, Json& object, const WriteContext& context);

// The defaults of a RevisionSpec (spec.template.spec) of `parent`, a Service or Configuration; null
// for a Revision. `create`: on a create alone service links are defaulted.
void SetRevisionSpecDefaults(Json& spec, const Json& parent, const ServingConfig& config,
                             bool create);

}  // namespace updraft::api
