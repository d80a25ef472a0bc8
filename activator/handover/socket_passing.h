// Open sockets over a unix socket, from process to process (SCM_RIGHTS).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/base/result.h"
#include "core/base/unique_fd.h"

namespace updraft::activator {

struct PassedSockets {
  uint32_t generation = 0;  // a number that comes with them
  std::vector<UniqueFd> sockets = {};
};

// `connection`: a SOCK_SEQPACKET; never waits. kUnavailable: the other side has gone, or is not
// reading.
Status SendSockets(int connection, uint32_t generation, std::span<const int> sockets);

// Blocks, for as long as the socket's own timeout says. kUnavailable: there came nothing, or no end.
Result<PassedSockets> ReceiveSockets(int connection);

}  // namespace updraft::activator
