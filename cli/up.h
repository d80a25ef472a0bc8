// `updraft up`: starts the platform under supervision and tells the user what to type next.
#pragma once

#include "cli/platform/config.h"

namespace updraft::cli {

// Returns an exit code; what went wrong has been printed. Already up: says so, and it is no failure.
int Up(PlatformConfig wanted);

}  // namespace updraft::cli
