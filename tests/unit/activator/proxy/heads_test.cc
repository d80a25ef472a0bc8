// The pure parts of the proxy: heads in both directions, and answers of its own.
#include <gtest/gtest.h>

#include "activator/proxy/error_reply.h"
#include "activator/proxy/request_facts.h"
#include "activator/proxy/request_id.h"
#include "activator/proxy/response_head.h"
#include "activator/proxy/upstream_fields.h"
#include "activator/proxy/upstream_head.h"
#include "core/http/parser.h"

namespace updraft::activator {
namespace {

// The head that an instance gets for a request with these fields.
std::string Upstream(const std::string& fields, UpstreamHeadOptions options = {},
                     std::string_view client_ip = "10.1.2.3",
                     const std::string& line = "GET /p?q HTTP/1.1") {
  http::RequestHead request;
  http::Framing framing;
  const http::Refusal refusal =
      http::ParseRequestHead(line + "\r\nHost: app.test\r\n" + fields + "\r\n", request, framing);
  if (refusal) return std::string(refusal.reason);
  RequestOrigin origin;
  origin.client_ip = client_ip;
  origin.host = request.host();
  origin.request_id = "id-1";
  http::HeadBuffer buffer;
  http::HeadWriter out(buffer);
  WriteUpstreamHead(request, origin, options, out);
  return std::string(out.written());
}

TEST(UpstreamHeadTest, SaysWhereTheRequestCameFrom) {
  EXPECT_EQ(Upstream("Accept: */*\r\n"),
            "GET /p?q HTTP/1.1\r\nHost: app.test\r\nAccept: */*\r\n"
            "X-Forwarded-For: 10.1.2.3\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: app.test\r\n"
            "Forwarded: for=10.1.2.3;host=app.test;proto=http\r\nX-Request-Id: id-1\r\n\r\n");
}

TEST(UpstreamHeadTest, AddsToWhatAnotherProxySaid) {
  EXPECT_EQ(Upstream("X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-For: 2.2.2.2, "
                     "::1\r\nX-Forwarded-Proto: https\r\n"
                     "X-Forwarded-Host: outer.test:8443\r\nX-Request-Id: theirs\r\n"),
            "GET /p?q HTTP/1.1\r\nHost: app.test\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: "
            "outer.test:8443\r\n"
            "X-Request-Id: theirs\r\nX-Forwarded-For: 1.1.1.1, 2.2.2.2, ::1, 10.1.2.3\r\n"
            "Forwarded: for=1.1.1.1;host=\"outer.test:8443\";proto=https, for=2.2.2.2, "
            "for=\"[::1]\", for=10.1.2.3\r\n\r\n");
}

TEST(UpstreamHeadTest, PassesForwardedAndTraceContextOn) {
  const std::string head =
      Upstream("Forwarded: for=x\r\nTraceparent: 00-ab-cd-01\r\nTracestate: a=b\r\n");
  EXPECT_NE(head.find("\r\nForwarded: for=x\r\nTraceparent: 00-ab-cd-01\r\nTracestate: a=b\r\n"),
            std::string::npos);
  EXPECT_EQ(head.find("Forwarded: for=10"), std::string::npos);
}

TEST(UpstreamHeadTest, QuotesNothingThatCouldBreakOut) {
  const std::string head =
      Upstream("X-Forwarded-For: 1.1.1.1\";host=evil\r\nX-Forwarded-Host: a\"b\r\n");
  EXPECT_NE(head.find("Forwarded: for=unknown;proto=http, for=10.1.2.3\r\n"), std::string::npos)
      << head;
}

TEST(UpstreamHeadTest, HopByHopFieldsEndHere) {
  const std::string head = Upstream(
      "Connection: keep-alive, X-Hop\r\nKeep-Alive: timeout=5\r\nProxy-Connection: x\r\nTE: "
      "trailers\r\n"
      "Upgrade: h2c\r\nX-Hop: 1\r\nX-Stays: 1\r\n");
  for (const char* name :
       {"Connection:", "Keep-Alive:", "Proxy-Connection:", "TE:", "Upgrade:", "X-Hop:"}) {
    EXPECT_EQ(head.find(std::string("\r\n") + name), std::string::npos) << name;
  }
  EXPECT_NE(head.find("\r\nX-Stays: 1\r\n"), std::string::npos);
}

TEST(UpstreamHeadTest, NobodyCanDeclareAwayWhatMatters) {
  const std::string head = Upstream(
      "Connection: Content-Length, Host, X-Forwarded-For, Authorization\r\nContent-Length: "
      "3\r\nAuthorization: b\r\n",
      {.body = RequestBody::kLength});
  for (const char* line :
       {"Host: app.test", "Content-Length: 3", "Authorization: b", "X-Forwarded-For: 10.1.2.3"}) {
    EXPECT_NE(head.find(std::string("\r\n") + line + "\r\n"), std::string::npos) << line;
  }
}

TEST(UpstreamHeadTest, NobodyOutsideSpeaksAsOneOfUs) {
  const std::string head = Upstream(
      "Knative-Serving-Revision: x\r\nknative-serving-namespace: x\r\nK-Network-Probe: "
      "queue\r\nk-proxy-request: x\r\n"
      "Knative: stays\r\nKind: stays\r\n");
  EXPECT_EQ(head.find(": x\r\n"), std::string::npos) << head;
  EXPECT_EQ(head.find("queue"), std::string::npos) << head;
  EXPECT_NE(head.find("Knative: stays\r\nKind: stays\r\n"), std::string::npos);
}

TEST(UpstreamHeadTest, FramesTheBodyAnewAndPassesAnUpgradeOn) {
  EXPECT_NE(
      Upstream("", {.body = RequestBody::kChunked}).find("\r\nTransfer-Encoding: chunked\r\n"),
      std::string::npos);
  const std::string upgrade =
      Upstream("Connection: Upgrade\r\nUpgrade: websocket\r\n", {.upgrade = true});
  EXPECT_NE(upgrade.find("\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"), std::string::npos)
      << upgrade;
}

TEST(UpstreamHeadTest, AUrlBecomesAPath) {
  EXPECT_TRUE(Upstream("", {}, "", "GET http://app.test HTTP/1.1")
                  .starts_with("GET / HTTP/1.1\r\nHost: app.test\r\n"));
  EXPECT_TRUE(Upstream("", {}, "", "GET http://app.test?x=1 HTTP/1.1")
                  .starts_with("GET /?x=1 HTTP/1.1\r\n"));
  EXPECT_TRUE(Upstream("", {}, "", "GET http://app.test/a?x HTTP/1.1")
                  .starts_with("GET /a?x HTTP/1.1\r\n"));
}

TEST(OriginTest, TheClientsAddressHasNoPort) {
  EXPECT_EQ(IpOf("1.2.3.4:80"), "1.2.3.4");
  EXPECT_EQ(IpOf("[fe80::1]:80"), "fe80::1");
  EXPECT_EQ(IpOf("unix"), "");
}

TEST(ResponseHeadTest, ConnectionFieldsEndHereAndTimingIsAdded) {
  http::ResponseHead head;
  head.headers = {{"Connection", "close, X-Hop"},
                  {"Keep-Alive", "x"},
                  {"X-Hop", "1"},
                  {"Upgrade", "h2c"},
                  {"X-Stays", "1"}};
  CleanResponseHead(head, "total;dur=1");
  EXPECT_EQ(head.headers.size(), 2u);
  EXPECT_EQ(head.headers.Get("x-stays"), "1");
  EXPECT_EQ(head.headers.Get("server-timing"), "total;dur=1");

  http::ResponseHead upgraded;
  upgraded.status = 101;
  upgraded.headers = {{"Connection", "Upgrade"}, {"Upgrade", "websocket"}};
  CleanResponseHead(upgraded, {});
  EXPECT_EQ(upgraded.headers.Get("upgrade"), "websocket");
}

TEST(UpstreamFieldsTest, AreThoseOfTheHeadBehindThePseudoFields) {
  http::RequestHead request;
  request.method = "POST";
  request.target = "/a?b c";
  request.headers = {{"Host", "app.test"}, {"TE", "trailers"}, {"A", "b: c"}, {"Connection", "X-Gone"}, {"X-Gone", "1"}};
  RequestOrigin origin;
  origin.host = "app.test";
  origin.request_id = "id-1";
  http::HeadBuffer buffer;
  http::HeadWriter out(buffer);
  WriteUpstreamHead(request, origin, {RequestBody::kLength, false}, out);
  const UpstreamFields fields(request, out.written());
  std::string all;
  for (const http::Header& field : fields.all()) all.append(field.name).append("=").append(field.value).append(" ");
  EXPECT_EQ(all,
            ":method=POST :scheme=http :authority=app.test :path=/a?b c A=b: c X-Forwarded-Proto=http "
            "X-Forwarded-Host=app.test Forwarded=for=unknown;host=app.test;proto=http X-Request-Id=id-1 te=trailers ");
}

TEST(ErrorReplyTest, NamesItselfAndTheRequest) {
  const ErrorReply reply{503, "queue is full", "pending request queue full", "id-1"};
  const RenderedReply text = Render(reply, "*/*");
  EXPECT_EQ(text.body, "activator queue is full: pending request queue full (request id-1)\n");
  EXPECT_EQ(text.headers.Get("retry-after"), "1");
  EXPECT_EQ(text.headers.Get("x-request-id"), "id-1");
  EXPECT_EQ(Render(reply, "text/html,application/json").body, text.body);
  const ErrorReply odd{502, "got no response", "\xff\"quoted\"", "id"};
  EXPECT_NE(Render(odd, "application/json").body.find("\\\"quoted\\\""), std::string::npos);
}

TEST(ErrorReplyTest, GrpcCallsAreKnownByTheirType) {
  const auto is_grpc = [](std::string_view type) { return IsGrpc({{"Content-Type", type}}); };
  EXPECT_TRUE(is_grpc("application/grpc"));
  EXPECT_TRUE(is_grpc("Application/gRPC+proto"));
  EXPECT_TRUE(is_grpc("application/grpc; x=1"));
  EXPECT_FALSE(is_grpc("application/grpc-web"));
  EXPECT_FALSE(is_grpc("application/json"));
  EXPECT_FALSE(IsGrpc({}));
}

TEST(ErrorReplyTest, AGrpcCallGetsAStatusAndAMessageThatBreaksNothing) {
  struct Case {
    int status;
    std::string_view grpc;
  };
  for (const Case& c : {Case{503, "14"}, Case{504, "4"}, Case{502, "14"}, Case{404, "12"},
                        Case{400, "13"}, Case{500, "2"}}) {
    const ErrorReply reply{c.status, "failed", "100 %\n\xc3\xa4", "id-1"};
    const RenderedReply rendered = RenderGrpc(reply);
    EXPECT_EQ(rendered.status, 200);
    EXPECT_EQ(rendered.body, "");
    EXPECT_EQ(rendered.headers.Get("grpc-status"), c.grpc) << c.status;
    EXPECT_EQ(rendered.headers.Get("grpc-message"),
              "activator failed: 100 %25%0A%C3%A4 (request id-1)");
    EXPECT_EQ(rendered.headers.Get("content-type"), "application/grpc");
    EXPECT_EQ(GrpcTrailers(reply).size(), 2u);
  }
}

TEST(RequestFactsTest, TheFirstOfANameCountsWhateverItsCase) {
  const http::Headers headers = {{"x-REQUEST-id", "r"},        {"X-Request-Id", "second"},
                                 {"Knative-Serving-Tag", "t"}, {"K-Network-Probe", "probe"},
                                 {"K-Network-Hash", "h"},      {"K-Network-Other", "x"},
                                 {"Knative-Serving-Xyz", "no"}};
  const RequestFacts facts = FactsOf(headers);
  EXPECT_EQ(facts.request_id, "r");
  EXPECT_EQ(facts.route_tag, "t");
  EXPECT_EQ(facts.network_probe, "probe");
  EXPECT_EQ(facts.network_hash, "h");
  EXPECT_EQ(FactsOf({}).request_id, "");
}

TEST(RequestIdsTest, AreDifferent) {
  RequestIds ids;
  const RequestId first = ids.Next();
  EXPECT_EQ(first.view().size(), 32u);
  EXPECT_EQ(first.view().find_first_not_of("0123456789abcdef"), std::string_view::npos);
  EXPECT_NE(first.view(), ids.Next().view());
}

}  // namespace
}  // namespace updraft::activator
