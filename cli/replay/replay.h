// `updraft replay`: reads an input of either kind, answers in JSON lines, and draws.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "cli/replay/request_model.h"
#include "core/base/result.h"

namespace updraft::cli {

struct ReplayOptions {
  std::string file;                    // "-": standard input
  std::vector<std::string> manifests;  // several are compared
  std::string plot;                    // where to draw; empty: nowhere
  ModelOptions model;
};

// Which kind the input is its first line says. Errors name the file and, where it has one, the
// line.
Status Replay(const ReplayOptions& options, std::istream& in, std::ostream& out, std::ostream& err);

}  // namespace updraft::cli
