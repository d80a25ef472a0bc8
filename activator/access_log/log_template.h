// How a request is written into the access log: a template as Knative's request log has them, of text
// and {{fields}}. Pure.
//
//   {{.Request.Method}} .URL .RequestURI .Host .RemoteAddr .Proto .UserAgent .Referer .ContentLength
//   {{.Request.Header.Get "Name"}} or {{index .Request.Header "Name"}}
//   {{.Response.Code}} .Size .Latency (seconds)
//   {{.Revision.Name}} .Namespace .Service .Configuration .PodName .PodIP
//   {{.TraceID}} {{.RequestID}} {{.Time}}
//   {{js .Request.UserAgent}}, {{js (.Request.Header.Get "Name")}}: for within a string of JSON
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "activator/routing/revision_settings.h"
#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/http/message.h"

namespace updraft::activator {

// One request that has ended. Views and pointers are of the time of the call.
struct LogEntry {
  const http::RequestHead& request;
  bool http2 = false;  // it came in it
  std::string_view host = {};
  std::string_view remote_address = {};
  std::string_view request_id = {};
  int64_t content_length = 0;  // -1: it was not said
  int status = 0;              // 0: the client left before there was one
  uint64_t response_bytes = 0;
  Nanos latency = Nanos(0);
  WallTime time = {};                            // of its end
  const RevisionSettings* revision = nullptr;    // null: no route
  std::string_view instance_id = {};             // empty: it came to none
  std::string_view instance_ip = {};
};

class LogTemplate {
 public:
  // kInvalidArgument: with the place and what is wrong there.
  static Result<LogTemplate> Parse(std::string_view text);
  // JSON with the members of Knative's default, and some more.
  static LogTemplate Default();

  // Appends the entry's line, newline included.
  void Append(const LogEntry& entry, std::string& line) const;

 private:
  friend class LogTemplateParser;
  using Writer = void (*)(const LogEntry& entry, std::string_view header, std::string& out);
  struct Piece {
    std::string text = {};    // before the field
    Writer field = nullptr;   // null: none follows
    std::string header = {};  // its name, for a field of the request's head
    bool escaped = false;
  };

  std::vector<Piece> pieces_;
};

// `text` as it may stand in a string of JSON. Bytes that are no UTF-8 become U+FFFD.
void AppendJsonEscaped(std::string_view text, std::string& out);

// The trace id of a W3C traceparent; empty when it is none.
std::string_view TraceIdOf(std::string_view traceparent);

}  // namespace updraft::activator
