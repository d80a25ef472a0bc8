// What instances get as /etc/resolv.conf.
//
// Pure.
#pragma once

#include <string>
#include <string_view>

namespace updraft::node_agent {

// The machine's own, without name servers that listen on loopback, which no instance can reach. If
// it has no others, those of `upstream`: systemd-resolved keeps the real ones in
// /run/systemd/resolve/resolv.conf (empty: there is no such file). If that does not help either,
// the machine's own is returned as it is.
std::string ResolvConf(std::string_view host, std::string_view upstream);

}  // namespace updraft::node_agent
