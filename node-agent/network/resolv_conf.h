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

// `conf` for an instance of namespace `ns`, with `server` asked first: it knows the names of services
// and refuses all others, for which those of `conf` are asked. "hello" and "hello.default" are names
// of services, too.
std::string WithServiceNames(std::string_view conf, std::string_view server, std::string_view ns);

}  // namespace updraft::node_agent
