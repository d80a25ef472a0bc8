// What the user calls an object ("ksvc hello", "pod/hello-x") and where the API has it. Pure.
#pragma once

#include <string>
#include <vector>

#include "core/api/json.h"
#include "core/api/kinds.h"
#include "core/base/result.h"

namespace updraft::cli {

// One object, or all of a kind when the name is empty.
struct ResourceName {
  const api::Kind* kind = nullptr;
  std::string name{};
};

// kInvalidArgument: no such kind.
Result<const api::Kind*> KindNamed(const std::string& name);

// The arguments of get, describe, delete: KIND[,KIND...] [NAME...], or KIND/NAME...; "all" stands
// for the kinds of that category.
Result<std::vector<ResourceName>> ParseResources(const std::vector<std::string>& arguments);

// KIND/NAME or KIND NAME.
Result<ResourceName> ParseOneResource(const std::vector<std::string>& arguments);

// "/apis/serving.knative.dev/v1/namespaces/default/services"; an empty namespace: in all of them.
std::string CollectionPath(const api::Kind& kind, const std::string& namespace_name);
std::string ObjectPath(const api::Kind& kind, const std::string& namespace_name,
                       const std::string& name);

// "service.serving.knative.dev/hello", "pod/x": as kubectl prints it.
std::string PrintedName(const api::Kind& kind, const std::string& name);
std::string PrintedKind(const api::Kind& kind);

}  // namespace updraft::cli
