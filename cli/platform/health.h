// Whether the programs of a platform answer.
#pragma once

#include <string>

#include "cli/platform/programs.h"

namespace updraft::cli {

// Ok when the program says that it is ready; otherwise what it or the system said. Takes at most a second.
Status CheckReady(const Program& program);

}  // namespace updraft::cli
