// Which instance of a service the logs are read from. Pure.
#pragma once

#include <optional>
#include <string>

#include "cli/client/watch.h"

namespace updraft::cli {

struct InstanceAge {
  std::string created{};  // RFC 3339, so that it compares
  std::string name{};

  auto operator<=>(const InstanceAge&) const = default;
};

// The youngest of `pods` whose containers have begun to run, and that is younger than `after`.
std::optional<InstanceAge> NewestStarted(const ObjectsByName& pods, const InstanceAge& after);

}  // namespace updraft::cli
