// What the proxy knows about a request beside its head. Pure.
#pragma once

#include <string>
#include <string_view>

#include "core/http/message.h"

namespace updraft::activator {

struct RequestOrigin {
  std::string_view client_ip;  // without port and brackets; empty for a unix socket
  std::string_view scheme = "http";
  std::string_view host;  // as the client named it
  std::string_view request_id;
  std::string_view route_tag;  // that the request was routed by, by its host or its own field
  bool default_route = false;  // it was not, on a route that has tags
};

// The ip of "ip:port" or "[ip]:port"; empty for anything else.
std::string_view IpOf(std::string_view peer);

}  // namespace updraft::activator
