// The commands that start, show and stop a platform on this machine.
#pragma once

#include <CLI/CLI.hpp>

namespace updraft::cli {

// Adds up, status, down and supervise to `app`. Each sets `exit_code` when it has run; `app` and `exit_code`
// must outlive the parse.
void AddPlatformCommands(CLI::App& app, int& exit_code);

}  // namespace updraft::cli
