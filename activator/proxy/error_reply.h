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
  http::Headers headers;
  std::string body;
};

// JSON when `accept`, the request's own field, asks for it and not for text; else a line of text.
// Begins with who answers and why: "activator request timeout: ...".
RenderedReply Render(const ErrorReply& reply, std::string_view accept);

}  // namespace updraft::activator
