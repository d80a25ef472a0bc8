// `updraft down`: stops the platform and leaves nothing of it but its state folder.
#pragma once

#include <string>

namespace updraft::cli {

struct DownOptions {
  std::string run;
  bool purge = false;  // the state folder too: specs, images, logs
};

// Returns an exit code; what could not be stopped or removed has been printed.
int Down(const DownOptions& options);

}  // namespace updraft::cli
