// The commands that speak to the API and to the node-agent: apply, get, describe, delete, wait,
// logs, image.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace updraft::cli {

// Adds them to `app`. Each sets `exit_code` when it has run; both must outlive the parse.
// `kubeconfig_environment`: the value of KUBECONFIG, or empty.
void AddClientCommands(CLI::App& app, const std::string& kubeconfig_environment, int& exit_code);

}  // namespace updraft::cli
