// What a container executes: arguments, environment and working directory from the revision and the image.
// Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "node-agent/image/image_config.h"
#include "updraft/v1/node.pb.h"

namespace updraft::node_agent {

// Kubernetes' rule: command replaces the entrypoint and drops the image's cmd; args alone replace the cmd.
// Taken as they are: $(NAME) was replaced by the controller. kInvalidArgument when nothing is left to execute.
Result<std::vector<std::string>> Arguments(const v1::Container& container, const ImageConfig& image);

// PATH and HOSTNAME, then the image's, then the container's: the last one of a name wins, in the place of the first.
std::vector<std::string> Environment(const v1::Container& container, const ImageConfig& image,
                                     const std::string& hostname);

// Absolute.
std::string WorkingDirectory(const v1::Container& container, const ImageConfig& image);

}  // namespace updraft::node_agent
