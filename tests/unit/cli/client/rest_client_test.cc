#include "cli/client/rest_client.h"

#include <gmock/gmock.h>

#include "tests/unit/cli/client/fake_api.h"

namespace updraft::cli {
namespace {

using testing::HasSubstr;

TEST(ErrorFromAnswerTest, CodesAndWords) {
  const auto code = [](long status, const std::string& reason) {
    return ErrorFromAnswer(status,
                           R"({"kind":"Status","reason":")" + reason + R"(","message":"m"})")
        .code;
  };
  EXPECT_EQ(code(404, "NotFound"), Code::kNotFound);
  EXPECT_EQ(code(409, "AlreadyExists"), Code::kAlreadyExists);
  EXPECT_EQ(code(409, "Conflict"), Code::kAborted);
  EXPECT_EQ(code(410, "Expired"), Code::kOutOfRange);
  EXPECT_EQ(code(400, "BadRequest"), Code::kInvalidArgument);
  EXPECT_EQ(code(422, "Invalid"), Code::kInvalidArgument);
  EXPECT_EQ(code(500, ""), Code::kInternal);
  EXPECT_EQ(ErrorFromAnswer(404, R"({"kind":"Status","message":"no such thing"})").message,
            "no such thing");
  EXPECT_EQ(ErrorFromAnswer(502, "<html>").message, "the server answered 502: <html>");
}

TEST(WarningTextTest, Quoted) {
  EXPECT_EQ(WarningText(R"( 299 - "say \"less\"")"), R"(say "less")");
  EXPECT_EQ(WarningText("plain"), "plain");
}

TEST(EscapePathPartTest, Table) {
  EXPECT_EQ(EscapePathPart("a-b.c_d~1"), "a-b.c_d~1");
  EXPECT_EQ(EscapePathPart("a b/c=\xc3\xbc"), "a%20b%2Fc%3D%C3%BC");
}

TEST(RestClientTest, CallsAndFails) {
  FakeApi api;
  TestSession test(api);
  api.Put("/api/v1/nodes/n1", {{"metadata", {{"name", "n1"}}}});
  const Result<Json> node = test.client.Call({.path = "/api/v1/nodes/n1", .query = {{"a", "b c"}}});
  ASSERT_TRUE(node) << node.error().message;
  EXPECT_EQ(api::NameOf(*node), "n1");
  EXPECT_EQ(api.Requests().back(), "GET /api/v1/nodes/n1?a=b%20c");
  EXPECT_EQ(test.client.Call({.path = "/api/v1/nodes/n2"}).error().code, Code::kNotFound);
}

TEST(RestClientTest, WarningsArePassedOn) {
  FakeApi api;
  TestSession test(api);
  EXPECT_TRUE(test.client.Call(
      {.method = "POST", .path = "/api/v1/nodes", .body = R"({"metadata":{"name":"n"}})"}));
  EXPECT_EQ(test.err.str(), "Warning: be careful\n");
}

TEST(RestClientTest, AServerThatIsAway) {
  RestClient client({.server = "http://127.0.0.1:1"}, [](const std::string&) {});
  const Result<Json> answer = client.Call({.path = "/version"});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::kUnavailable);
  EXPECT_THAT(answer.error().message, HasSubstr("cannot reach http://127.0.0.1:1/version"));
}

TEST(RestClientTest, AnAnswerThatIsNoJson) {
  FakeApi api;
  TestSession test(api);
  api.Script("GET /api/v1/nodes/n1", 200, "<html>");
  EXPECT_EQ(test.client.Call({.path = "/api/v1/nodes/n1"}).error().code, Code::kInternal);
}

TEST(RestClientTest, AStreamStopsWhenTheCallerHasSeenEnough) {
  FakeApi api;
  TestSession test(api);
  api.Script("GET /x", 200, "some text");
  std::string seen;
  const Status streamed =
      test.client.Stream({.path = "/x"}, {.on_bytes = [&](std::string_view bytes) {
                           seen += bytes;
                           return false;
                         }});
  EXPECT_TRUE(streamed);
  EXPECT_EQ(seen, "some text");
}

TEST(RestClientTest, AStreamsErrorIsAnErrorAndNotText) {
  FakeApi api;
  TestSession test(api);
  const Status streamed =
      test.client.Stream({.path = "/nothing"}, {.on_bytes = [](std::string_view) {
                           ADD_FAILURE();
                           return true;
                         }});
  EXPECT_EQ(streamed.error().code, Code::kNotFound);
}

}  // namespace
}  // namespace updraft::cli
