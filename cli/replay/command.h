// `updraft replay` on the command line.
#pragma once

#include <CLI/CLI.hpp>

namespace updraft::cli {

// `exit_code` must outlive the parsing.
void AddReplayCommand(CLI::App& app, int& exit_code);

}  // namespace updraft::cli
