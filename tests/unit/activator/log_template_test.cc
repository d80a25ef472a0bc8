#include "activator/access_log/log_template.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace updraft::activator {
namespace {

struct Sample {
  Sample() {
    request.method = "GET";
    request.target = "/a?b=\"c\"";
    request.headers = {{"User-Agent", "curl \"8\"\\\x01\xff\xc3\xa4"},
                       {"Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
                       {"X-Mine", "7"}};
    revision.name = "app-1";
    revision.namespace_name = "ns";
    revision.service = "app";
    revision.configuration = "conf";
  }
  LogEntry Entry() const {
    return {.request = request,
            .host = "app.test",
            .remote_address = "1.2.3.4:5",
            .request_id = "r-1",
            .content_length = -1,
            .status = 200,
            .response_bytes = 12,
            .latency = Millis(1500),
            .time = FromUnixNanos(1'700'000'000'042'000'000),
            .revision = &revision,
            .instance_id = "i-1",
            .instance_ip = "10.0.0.1"};
  }
  http::RequestHead request;
  RevisionSettings revision;
};

std::string Line(std::string_view format) {
  const Result<LogTemplate> parsed = LogTemplate::Parse(format);
  if (!parsed) return parsed.error().message;
  const Sample sample;
  std::string line;
  parsed->Append(sample.Entry(), line);
  return line;
}

TEST(LogTemplateTest, TheVersionOfHttpIsTheClients) {
  const LogTemplate proto = *LogTemplate::Parse("{{.Request.Proto}}");
  Sample sample;
  LogEntry entry = sample.Entry();
  std::string lines;
  proto.Append(entry, lines);
  sample.request.minor_version = 0;
  proto.Append(entry, lines);
  sample.request.minor_version = 1;
  entry.http2 = true;
  proto.Append(entry, lines);
  EXPECT_EQ(lines, "HTTP/1.1\nHTTP/1.0\nHTTP/2.0\n");
}

TEST(LogTemplateTest, KnativesFields) {
  EXPECT_EQ(Line("{{.Request.Method}} {{ .Request.URL }} {{.Request.RequestURI}} {{.Request.Host}} {{.Request.Proto}}"),
            "GET /a?b=\"c\" /a?b=\"c\" app.test HTTP/1.1\n");
  EXPECT_EQ(Line("{{.Response.Code}}|{{.Response.Size}}|{{.Response.Latency}}|{{.Request.ContentLength}}"),
            "200|12|1.5|-1\n");
  EXPECT_EQ(Line("{{.Revision.Namespace}}/{{.Revision.Name}} {{.Revision.Service}} {{.Revision.Configuration}} "
                 "{{.Revision.PodName}} {{.Revision.PodIP}} {{.Request.RemoteAddr}}"),
            "ns/app-1 app conf i-1 10.0.0.1 1.2.3.4:5\n");
  EXPECT_EQ(Line("{{.TraceID}} {{.RequestID}} {{.Time}}"),
            "0af7651916cd43dd8448eb211c80319c r-1 2023-11-14T22:13:20.042Z\n");
  EXPECT_EQ(Line("{{.Request.Header.Get \"x-mine\"}} {{index .Request.Header \"X-Mine\"}} "
                 "{{js (index .Request.Header \"X-Mine\")}} [{{.Request.Referer}}]"),
            "7 7 7 []\n");
  EXPECT_EQ(Line("no fields at all"), "no fields at all\n");
}

TEST(LogTemplateTest, TheDefaultIsJsonWhateverTheRequestHolds) {
  const Sample sample;
  std::string line;
  LogTemplate::Default().Append(sample.Entry(), line);
  const auto json = nlohmann::json::parse(line, nullptr, false);
  ASSERT_TRUE(json.is_object()) << line;
  EXPECT_EQ(json["httpRequest"]["requestUrl"], "/a?b=\"c\"");
  EXPECT_EQ(json["httpRequest"]["userAgent"], "curl \"8\"\\\x01\xef\xbf\xbd\xc3\xa4");
  EXPECT_EQ(json["httpRequest"]["status"], 200);
  EXPECT_EQ(json["httpRequest"]["latency"], "1.5s");
  EXPECT_EQ(json["revision"]["name"], "app-1");
  EXPECT_EQ(json["traceId"], "0af7651916cd43dd8448eb211c80319c");

  LogEntry unrouted = sample.Entry();
  unrouted.revision = nullptr;
  line.clear();
  LogTemplate::Default().Append(unrouted, line);
  EXPECT_TRUE(nlohmann::json::parse(line, nullptr, false).is_object()) << line;
}

TEST(LogTemplateTest, WhatItDoesNotKnowItSays) {
  for (const char* wrong : {"{{.Request.Body}}", "a {{if .Request}}b{{end}}", "{{", "{{.Request.Header}}",
                            "{{js}}", "{{index .Request.Header X}}", "{{}}"}) {
    const Result<LogTemplate> parsed = LogTemplate::Parse(wrong);
    ASSERT_FALSE(parsed) << wrong;
    EXPECT_EQ(parsed.error().code, Code::kInvalidArgument);
    EXPECT_NE(parsed.error().message.find("byte "), std::string::npos) << parsed.error().message;
  }
}

TEST(TraceIdTest, OnlyOfWhatIsATraceparent) {
  EXPECT_EQ(TraceIdOf("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01").size(), 32u);
  for (const char* wrong : {"", "00-ab-cd-01", "00-00000000000000000000000000000000-b7ad6b7169203331-01",
                            "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}) {
    EXPECT_EQ(TraceIdOf(wrong), "") << wrong;
  }
}

}  // namespace
}  // namespace updraft::activator
