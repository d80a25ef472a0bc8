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

std::string TextLine(const ErrorReply& reply) {
  std::string line = "activator ";
  line.append(reply.reason).append(": ").append(reply.detail);
  line.append(" (request ").append(reply.request_id).append(")");
  return line;
}

// gRPC's mapping of HTTP statuses, but for the timeout, which we know to be one.
int GrpcStatus(int status) {
  switch (status) {
    case 400:
      return 13;  // INTERNAL
    case 404:
      return 12;  // UNIMPLEMENTED
    case 408:
    case 504:
      return 4;  // DEADLINE_EXCEEDED
    case 429:
    case 502:
    case 503:
      return 14;  // UNAVAILABLE
    default:
      return 2;  // UNKNOWN
  }
}

// As grpc-message wants it: printable ASCII but for "%" as it is, all other bytes as %XX.
std::string PercentEncode(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f && c != '%') {
      encoded.push_back(c);
    } else {
      encoded.append({'%', digits[byte >> 4], digits[byte & 15]});
    }
  }
  return encoded;
}

}  // namespace

RenderedReply Render(const ErrorReply& reply, std::string_view accept) {
  RenderedReply rendered;
  rendered.status = reply.status;
  const bool json = WantsJson(accept);
  rendered.headers.Add("Content-Type", json ? "application/json" : "text/plain; charset=utf-8");
  rendered.headers.Add("X-Request-Id", reply.request_id);
  if (reply.status == 503) rendered.headers.Add("Retry-After", "1");
  if (json) {
    rendered.body = JsonBody(reply);
  } else {
    rendered.body = TextLine(reply) + "\n";
  }
  return rendered;
}

bool IsGrpc(const http::Headers& request) {
  constexpr std::string_view kType = "application/grpc";
  const std::string_view type = request.Get("content-type").value_or("");
  if (!http::EqualsIgnoreCase(type.substr(0, kType.size()), kType)) return false;
  return type.size() == kType.size() || type[kType.size()] == '+' || type[kType.size()] == ';';
}

RenderedReply RenderGrpc(const ErrorReply& reply) {
  RenderedReply rendered;
  rendered.status = 200;
  rendered.headers = GrpcTrailers(reply);
  rendered.headers.Add("Content-Type", "application/grpc");
  rendered.headers.Add("X-Request-Id", reply.request_id);
  return rendered;
}

http::Headers GrpcTrailers(const ErrorReply& reply) {
  http::Headers trailers;
  trailers.Add("Grpc-Status", std::to_string(GrpcStatus(reply.status)));
  trailers.Add("Grpc-Message", PercentEncode(TextLine(reply)));
  return trailers;
}

}  // namespace updraft::activator
