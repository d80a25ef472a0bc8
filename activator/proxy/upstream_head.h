// The head of a request as an instance gets it. Pure.
#pragma once

#include "activator/proxy/request_origin.h"
#include "core/http/head_writer.h"
#include "core/http/message.h"

namespace updraft::activator {

enum class RequestBody { kNone, kLength, kChunked };

struct UpstreamHeadOptions {
  RequestBody body = RequestBody::kNone;  // kLength: the request's own Content-Length
  bool upgrade = false;                   // passes the wish for another protocol on
};

// Writes an HTTP/1.1 head, empty line included: hop-by-hop fields and those that only
// Updraft may set left out; X-Forwarded-For, -Proto and -Host, Forwarded and X-Request-Id
// completed. Trace context passes as it came: Updraft records no spans, so it makes none, as
// Knative with tracing off.
void WriteUpstreamHead(const http::RequestHead& request, const RequestOrigin& origin,
                       const UpstreamHeadOptions& options, http::HeadWriter& out);

}  // namespace updraft::activator
