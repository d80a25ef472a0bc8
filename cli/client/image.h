// Images of this machine's node-agent.
#pragma once

#include <string>

#include "cli/client/session.h"

namespace updraft::cli {

// `agent`: the gRPC target of the node-agent. Each prints its result or what went wrong, and
// returns an exit code.

struct ImageArchive {
  std::string file{};       // "-": standard input
  std::string reference{};  // a name instead of the archive's own; may be empty
};

// Sends an OCI or docker archive, with a progress bar on a terminal and a line per step elsewhere.
int LoadImage(const Console& console, const std::string& agent, const ImageArchive& archive);
int ListImages(const Console& console, const std::string& agent);
int RemoveImage(const Console& console, const std::string& agent, const std::string& reference);

}  // namespace updraft::cli
