#include "activator/proxy/error_reply.h"

#include <nlohmann/json.hpp>

namespace updraft::activator {
namespace {

bool WantsJson(std::string_view accept) {
  return accept.find("json") != std::string_view::npos &&
         accept.find("text/html") == std::string_view::npos;
}

std::string JsonBody(const ErrorReply& reply) {
  const nlohmann::ordered_json body = {{"component", "activator"},
                                       {"status", reply.status},
                                       {"reason", reply.reason},
                                       {"message", reply.detail},
                                       {"requestId", reply.request_id}};
  // What came from outside may not be UTF-8.
  return body.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace

RenderedReply Render(const ErrorReply& reply, std::string_view accept) {
  RenderedReply rendered;
  const bool json = WantsJson(accept);
  rendered.headers.Add("Content-Type", json ? "application/json" : "text/plain; charset=utf-8");
  rendered.headers.Add("X-Request-Id", reply.request_id);
  if (reply.status == 503) rendered.headers.Add("Retry-After", "1");
  if (json) {
    rendered.body = JsonBody(reply);
  } else {
    rendered.body.append("activator ").append(reply.reason).append(": ").append(reply.detail);
    rendered.body.append(" (request ").append(reply.request_id).append(")\n");
  }
  return rendered;
}

}  // namespace updraft::activator
