// Where a request that came in clear text is sent, when its host is for HTTPS alone. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/http/message.h"

namespace updraft::activator {

struct HttpsRedirect {
  int status = 301;  // 308 where 301 would have clients turn the method into GET
  std::string location;
};

// nullopt: to be served as it is. That is so for what is well known, so that certificates can be
// had at all (ACME), and for what a balancer in front says came by HTTPS. `port`: of HTTPS, as
// users reach it.
std::optional<HttpsRedirect> RedirectToHttps(const http::RequestHead& request, uint16_t port);

}  // namespace updraft::activator
