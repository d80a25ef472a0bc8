// Connections to what listens inside of an instance.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/result.h"
#include "core/base/unique_fd.h"

namespace updraft::node_agent {

enum class Loopback { kIpv4, kIpv6 };

// A non-blocking socket that is connecting to `port` on the loopback of the network namespace pinned at
// `namespace_path`: wait until it is writable, then ask ConnectOutcome(). Blocks for a short-lived thread, some
// 50 us. kUnavailable: refused at once.
Result<UniqueFd> StartConnectingInside(const std::string& namespace_path, uint16_t port, Loopback address);

// kUnavailable: nobody listens there.
Status ConnectOutcome(int fd, uint16_t port);

}  // namespace updraft::node_agent
