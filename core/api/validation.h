// What a manifest must fulfil, with Knative's and Kubernetes' exact words. Pure.
#pragma once

#include <string>
#include <vector>

#include "core/api/defaults.h"
#include "core/api/field_error.h"
#include "core/api/json.h"
#include "core/api/kinds.h"

namespace updraft::api {

// Knative's validating webhook: the serving kinds, after defaulting. Errors refuse the object,
// those of level kWarning are for the user to read. Nothing for other kinds.
FieldErrors ValidateServing(const Kind& kind, const Json& object, const WriteContext& context);

// The parts of it that have uses of their own.
FieldErrors ValidatePodSpec(const Json& spec, const ServingConfig& config);  // relative to the spec
FieldErrors ValidateRevisionSpec(const Json& spec, const ServingConfig& config);
FieldErrors ValidateScalingAnnotations(const Json& annotations, const AutoscalerConfig& config);
FieldErrors ValidateTraffic(const Json& traffic, bool service);

// One broken rule of Kubernetes' own, as it stands in a Status' causes.
struct FieldProblem {
  std::string reason =
      {};  // FieldValueInvalid, FieldValueRequired, FieldValueForbidden, FieldValueTooLong, ...
  std::string field = {};    // metadata.name
  std::string message = {};  // Invalid value: "A": a lowercase RFC 1123 ...
};

// What Kubernetes would refuse of the Pod that is made of a template's spec, after defaulting. Paths as in the Pod.
std::vector<FieldProblem> ValidatePod(const Json& spec);

// Metadata of all kinds, and the content of core kinds. The names of serving kinds are Knative's to
// judge.
std::vector<FieldProblem> ValidateKubernetes(const Kind& kind, const Json& object, const Json* old);

}  // namespace updraft::api
