#include "cli/client/session.h"

namespace updraft::cli {

int Fail(const Console& console, const Error& error) {
  console.err << "error: " << error.message << std::endl;
  return 1;
}

}  // namespace updraft::cli
