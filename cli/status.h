// `updraft status`: what runs of the platform.
#pragma once

#include <string>

namespace updraft::cli {

// Prints a table; 0 when every program is ready, 1 otherwise.
int PrintStatus(const std::string& run);

}  // namespace updraft::cli
