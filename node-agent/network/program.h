// Runs another program to its end.
#pragma once

#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"

namespace updraft::node_agent {

// `argv[0]` is looked up in the PATH. Feeds `input` to it and returns what it writes to standard
// output; an exit code other than 0 is an error with the last of what it wrote to standard error.
// Blocks, at most for `timeout`; then the program is killed.
Result<std::string> RunProgram(const std::vector<std::string>& argv, const std::string& input,
                               Nanos timeout = Seconds(20));

}  // namespace updraft::node_agent
