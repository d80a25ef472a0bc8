// The environment of a container: env, envFrom and $(NAME) references, resolved as Kubernetes does.
// Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "controller/instances/revision_spec.h"
#include "core/api/json.h"
#include "core/base/result.h"

namespace updraft::controller {

struct Variable {
  std::string name;
  std::string value;
  bool operator==(const Variable&) const = default;
};

// envFrom first, env after it, `platform` last; a later one of a name replaces the earlier value.
// kFailedPrecondition: a ConfigMap, Secret or key that is not optional is not there; the message is
// for the user. Likewise a field that cannot be had.
Result<std::vector<Variable>> EnvironmentOf(const Json& container,
                                            const std::vector<Variable>& platform,
                                            const NamedObjects& named,
                                            const DownwardFields& fields = {});

// Replaces $(NAME); $$(NAME) stands for $(NAME) itself; a name that is not known stays as it is.
std::string Expand(std::string_view text, const std::vector<Variable>& variables);

}  // namespace updraft::controller
