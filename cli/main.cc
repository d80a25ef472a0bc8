// The `updraft` command.
#include <CLI/CLI.hpp>
#include <cstdlib>

#include "cli/client/commands.h"
#include "cli/commands.h"
#include "cli/replay/command.h"

int main(int argc, char** argv) {
  CLI::App app("Knative services without Kubernetes");
  app.set_version_flag("--version", UPDRAFT_VERSION);
  app.require_subcommand(1);
  int exit_code = 0;
  const char* kubeconfig = std::getenv("KUBECONFIG");
  updraft::cli::AddPlatformCommands(app, exit_code);
  updraft::cli::AddClientCommands(app, kubeconfig != nullptr ? kubeconfig : "", exit_code);
  updraft::cli::AddReplayCommand(app, exit_code);
  CLI11_PARSE(app, argc, argv);
  return exit_code;
}
