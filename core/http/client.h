// A small HTTP/1.1 client for probes and control traffic: one request, one connection. Loop thread
// only.
#pragma once

#include <string>

#include "core/base/clock.h"
#include "core/base/loop.h"
#include "core/base/result.h"
#include "core/http/message.h"
#include "core/http/task.h"

namespace updraft::http {

struct Request {
  std::string address;  // "ip:port", "[ip]:port" or "unix:/path"; no name resolution
  std::string method = "GET";
  std::string target = "/";
  Headers headers;  // Host, Content-Length and Connection are added when absent
  std::string body;
  TimePoint deadline;  // of the whole call
  size_t body_bytes_max = 16 << 20;
};

struct Response {
  int status = 0;
  Headers headers;
  std::string body;
};

// kDeadlineExceeded; kUnavailable: cannot connect, or the connection broke; kInvalidArgument: bad
// address; kInternal: the answer is not HTTP; kResourceExhausted: its body is too long. Redirects
// are not followed.
Task<Result<Response>> Fetch(Loop& loop, Request request);

}  // namespace updraft::http
