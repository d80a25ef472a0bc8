// Certificates in Secrets of type kubernetes.io/tls. Pure.
#pragma once

#include <string>

#include "core/api/json.h"
#include "core/base/result.h"

namespace updraft::controller {

// PEM.
struct TlsPair {
  std::string chain;
  std::string key;
};

// kInvalidArgument: it is none that could be served, in words that begin with its name and hold
// nothing of the key.
Result<TlsPair> TlsPairOf(const Json& secret);

}  // namespace updraft::controller
