// What the last channel says of how a command ended: a Status document, as version 4 of the
// protocol has it. Pure.
#pragma once

#include <string>

#include "core/base/result.h"

namespace updraft::controller {

std::string StatusOfExit(int exit_code);
// It could not be run, or was lost sight of.
std::string StatusOfError(const Error& error);

}  // namespace updraft::controller
