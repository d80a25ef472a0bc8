// What every verb works with.
#pragma once

#include <istream>
#include <ostream>
#include <string>

#include "cli/client/rest_client.h"

namespace updraft::cli {

// The user's terminal, or a test's.
struct Console {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
};

struct Session {
  RestClient& client;
  std::string namespace_name;
  bool namespace_given = false;  // by -n, so that a manifest may not say otherwise
  Console console;
};

// Prints "error: ..." and returns the exit code.
int Fail(const Console& console, const Error& error);

}  // namespace updraft::cli
