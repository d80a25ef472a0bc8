// What a client is told when the answer is the activator's own. Pure.
#pragma once

#include <string>
#include <string_view>

#include "core/http/message.h"

namespace updraft::activator {

struct ErrorReply {
  int status = 502;
  std::string_view reason;  // a few words, the same for all errors of a kind
  std::string detail;       // this one
  std::string_view request_id;
};

struct RenderedReply {
  int status = 502;
  http::Headers headers;
  std::string body;
};

// JSON when `accept`, the request's own field, asks for it and not for text; else a line of text.
// Begins with who answers and why: "activator request timeout: ...".
RenderedReply Render(const ErrorReply& reply, std::string_view accept);

// Whether a request with these fields is a gRPC call, which knows no answers but gRPC's.
bool IsGrpc(const http::Headers& request);
// For such: 200 with the status in the only header block ("trailers-only"), and no body.
RenderedReply RenderGrpc(const ErrorReply& reply);
// For a call whose response has begun: how its stream ends.
http::Headers GrpcTrailers(const ErrorReply& reply);

}  // namespace updraft::activator
