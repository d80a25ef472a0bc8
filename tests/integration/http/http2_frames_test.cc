// Frames and states of HTTP/2 as RFC 9113 and RFC 7541 want them, case by case, and what of a
// request in HTTP/2 must never become one in HTTP/1.1.
#include <gtest/gtest.h>

#include <mutex>
#include <set>

#include "tests/integration/http/activator_fixture.h"
#include "tests/unit/core/http/raw_http2.h"
#include "tests/unit/core/http/test_certificates.h"
#include "tests/unit/core/http/test_server.h"
#include "tests/unit/core/http/tls_tunnel.h"

namespace updraft::activator {
namespace {

using namespace std::string_literals;
using http::DataFrame;
using http::FieldList;
using http::Fields;
using http::Frame;
using http::HeadersFrame;
using http::kAck;
using http::kEndHeaders;
using http::kEndStream;
using http::kPadded;
using http::kWithPriority;
using http::Number;
using http::RawHttp2;
using http::RequestFields;
using http::Setting;

// What becomes of a case.
enum class Verdict {
  kAlive,       // nothing: the connection goes on
  kConnection,  // GOAWAY with `code`, and the connection closes
  kStream,      // RST_STREAM with `code` on stream 1, or the same for the connection
  kStatus,      // stream 1 is answered with `code`
};

struct FrameCase {
  std::string name;
  std::string bytes;  // behind the preface and SETTINGS
  Verdict verdict = Verdict::kAlive;
  uint32_t code = 0;
};

constexpr uint32_t kProtocol = NGHTTP2_PROTOCOL_ERROR;
constexpr uint32_t kSize = NGHTTP2_FRAME_SIZE_ERROR;
constexpr uint32_t kFlow = NGHTTP2_FLOW_CONTROL_ERROR;
constexpr uint32_t kCompression = NGHTTP2_COMPRESSION_ERROR;
constexpr uint32_t kClosed = NGHTTP2_STREAM_CLOSED;

std::string Open(uint32_t stream = 1) {
  return HeadersFrame(stream, RequestFields("POST"), kEndHeaders);
}
std::string Whole(uint32_t stream = 1) { return HeadersFrame(stream, RequestFields()); }
std::string Reset(uint32_t stream) {
  return Frame(NGHTTP2_RST_STREAM, 0, stream, Number(NGHTTP2_CANCEL, 4));
}
std::string WindowUpdate(uint32_t stream, uint32_t by) {
  return Frame(NGHTTP2_WINDOW_UPDATE, 0, stream, Number(by, 4));
}
std::string Continuation(uint32_t stream, std::string_view block, uint8_t flags = kEndHeaders) {
  return Frame(NGHTTP2_CONTINUATION, flags, stream, block);
}
std::string Settings(std::string_view payload, uint8_t flags = 0, uint32_t stream = 0) {
  return Frame(NGHTTP2_SETTINGS, flags, stream, payload);
}
std::string WithFields(const FieldList& more) { return HeadersFrame(1, RequestFields() + more); }
// A request whose fields end with a block as it is.
std::string WithBlock(const std::string& block) {
  return Frame(NGHTTP2_HEADERS, kEndStream | kEndHeaders, 1, Fields(RequestFields()) + block);
}
// A priority that `stream` depends on `parent`.
std::string Priority(uint32_t parent) { return Number(parent, 4) + "\x10"; }

// NOLINTNEXTLINE(readability-function-size): a table
std::vector<FrameCase> FrameCases() {
  using enum Verdict;
  const std::string block = Fields(RequestFields());
  const std::string half = block.substr(0, 10);
  const std::string rest = block.substr(10);
  const std::string big(16384, 'd');
  return {
      // ---- frames
      {"UnknownFrameIsIgnored", Frame(0xee, 0xff, 0, "12345678"), kAlive, 0},
      {"UnknownFrameOnAStreamIsIgnored", Open() + Frame(0xee, 0, 1, "x") + DataFrame(1, "y"),
       kStatus, 200},
      {"UnknownFlagsAreIgnored", Frame(NGHTTP2_PING, 0x16, 0, "12345678"), kAlive, 0},
      {"ReservedBitIsIgnored", Frame(NGHTTP2_PING, 0, 0x80000000, "12345678"), kAlive, 0},
      {"LargestFrame", Open() + DataFrame(1, big), kStatus, 200},
      {"TooLargeData", Open() + DataFrame(1, big + "d"), kConnection, kSize},
      {"TooLargeHeaders", HeadersFrame(1, RequestFields() + FieldList{{"x", big}}), kConnection,
       kSize},
      {"PushPromiseOfAClient", Frame(NGHTTP2_PUSH_PROMISE, kEndHeaders, 1, Number(2, 4) + block),
       kConnection, kProtocol},

      // ---- a head in several frames
      {"Continuation", Frame(NGHTTP2_HEADERS, kEndStream, 1, half) + Continuation(1, rest), kStatus,
       200},
      {"ContinuationsThree",
       Frame(NGHTTP2_HEADERS, kEndStream, 1, half) + Continuation(1, rest.substr(0, 3), 0) +
           Continuation(1, rest.substr(3), 0) + Continuation(1, ""),
       kStatus, 200},
      {"PaddedWithPriority",
       Frame(NGHTTP2_HEADERS, kEndStream | kEndHeaders | kPadded | kWithPriority, 1,
             "\x04" + Priority(0) + block + "\0\0\0\0"s),
       kStatus, 200},
      {"PriorityWithinAHead",
       Frame(NGHTTP2_HEADERS, kEndStream, 1, half) + Frame(NGHTTP2_PRIORITY, 0, 1, Priority(0)),
       kConnection, kProtocol},
      {"PingWithinAHead",
       Frame(NGHTTP2_HEADERS, kEndStream, 1, half) + Frame(NGHTTP2_PING, 0, 0, "12345678"),
       kConnection, kProtocol},
      {"UnknownFrameWithinAHead",
       Frame(NGHTTP2_HEADERS, kEndStream, 1, half) + Frame(0xee, 0, 0, ""), kConnection, kProtocol},
      {"OtherStreamWithinAHead", Frame(NGHTTP2_HEADERS, kEndStream, 1, half) + Whole(3),
       kConnection, kProtocol},
      {"ContinuationOfAnotherStream",
       Frame(NGHTTP2_HEADERS, kEndStream, 1, half) + Continuation(3, rest), kConnection, kProtocol},
      {"ContinuationOfNothing", Continuation(1, block), kConnection, kProtocol},
      {"ContinuationOfStreamZero",
       Frame(NGHTTP2_HEADERS, kEndStream, 1, half) + Continuation(0, rest), kConnection, kProtocol},
      {"ContinuationBehindAWholeHead", Open() + Continuation(1, block), kConnection, kProtocol},
      {"ContinuationBehindData", Open() + DataFrame(1, "x", 0) + Continuation(1, block),
       kConnection, kProtocol},

      // ---- states of a stream
      {"DataOnIdle", DataFrame(1, "x"), kConnection, kProtocol},
      {"ResetOfIdle", Reset(1), kConnection, kProtocol},
      {"WindowUpdateOfIdle", WindowUpdate(1, 1), kConnection, kProtocol},
      {"PriorityOfIdle", Frame(NGHTTP2_PRIORITY, 0, 3, Priority(0)) + Whole(), kStatus, 200},
      {"DataBehindTheEnd", Whole() + DataFrame(1, "x"), kStream, kClosed},
      {"HeadersBehindTheEnd", Whole() + Whole(), kStream, kClosed},
      {"ContinuationBehindTheEnd", Whole() + Continuation(1, block), kConnection, kProtocol},
      {"PriorityBehindTheEnd", Whole() + Frame(NGHTTP2_PRIORITY, 0, 1, Priority(0)), kStatus, 200},
      {"WindowUpdateBehindTheEnd", Whole() + WindowUpdate(1, 100), kStatus, 200},
      {"WindowUpdateBehindAReset", Open() + Reset(1) + WindowUpdate(1, 1), kAlive, 0},
      {"PriorityBehindAReset", Open() + Reset(1) + Frame(NGHTTP2_PRIORITY, 0, 1, Priority(0)),
       kAlive, 0},
      {"EvenStream", Whole(2), kConnection, kProtocol},
      // Ignored: which smaller streams have been is not remembered.
      {"SmallerStream", Whole(5) + Whole(3), kAlive, 0},
      {"StreamZeroHeaders", Whole(0), kConnection, kProtocol},
      {"StreamZeroData", DataFrame(0, "x"), kConnection, kProtocol},
      {"StreamZeroReset", Reset(0), kConnection, kProtocol},
      {"StreamZeroPriority", Frame(NGHTTP2_PRIORITY, 0, 0, Priority(1)), kConnection, kProtocol},
      {"SecondHeadWithoutEnd", Open() + HeadersFrame(1, {{"x", "y"}}, kEndHeaders), kStream,
       kProtocol},

      // ---- sizes and padding
      {"PriorityTooShort", Open() + Frame(NGHTTP2_PRIORITY, 0, 1, "1234"), kStream, kSize},
      {"ResetTooShort", Open() + Frame(NGHTTP2_RST_STREAM, 0, 1, "123"), kConnection, kSize},
      {"PingTooShort", Frame(NGHTTP2_PING, 0, 0, "1234567"), kConnection, kSize},
      {"PingTooLong", Frame(NGHTTP2_PING, 0, 0, "123456789"), kConnection, kSize},
      {"WindowUpdateTooShort", WindowUpdate(0, 1).replace(2, 1, "\x03").substr(0, 12), kConnection,
       kSize},
      {"GoawayTooShort", Frame(NGHTTP2_GOAWAY, 0, 0, "1234567"), kConnection, kSize},
      {"SettingsTooShort", Settings("12345"), kConnection, kSize},
      {"SettingsAckWithPayload", Settings(Setting(4, 1), kAck), kConnection, kSize},
      {"DataPadded", Open() + Frame(NGHTTP2_DATA, kEndStream | kPadded, 1, "\x02xy\0\0"s), kStatus,
       200},
      {"DataPaddedTooMuch", Open() + Frame(NGHTTP2_DATA, kEndStream | kPadded, 1, "\x06xxxxx"),
       kConnection, kProtocol},
      {"HeadersPaddedTooMuch",
       Frame(NGHTTP2_HEADERS, kEndStream | kEndHeaders | kPadded, 1, "\xff" + block), kConnection,
       kProtocol},

      // ---- SETTINGS, PING, GOAWAY
      {"SettingsOnAStream", Settings("", 0, 1), kConnection, kProtocol},
      {"SettingsUnknown", Settings(Setting(0xff, 7)), kAlive, 0},
      {"SettingsPushTwo", Settings(Setting(NGHTTP2_SETTINGS_ENABLE_PUSH, 2)), kConnection,
       kProtocol},
      {"SettingsWindowTooLarge",
       Settings(Setting(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0x80000000)), kConnection, kFlow},
      {"SettingsFrameTooSmall", Settings(Setting(NGHTTP2_SETTINGS_MAX_FRAME_SIZE, 16383)),
       kConnection, kProtocol},
      {"SettingsFrameTooLarge", Settings(Setting(NGHTTP2_SETTINGS_MAX_FRAME_SIZE, 1 << 24)),
       kConnection, kProtocol},
      {"SettingsTwiceInOne",
       Settings(Setting(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1) +
                Setting(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 65535)) +
           Whole(),
       kStatus, 200},
      {"PingAnswerUnasked", Frame(NGHTTP2_PING, kAck, 0, "12345678"), kAlive, 0},
      {"PingOnAStream", Frame(NGHTTP2_PING, 0, 1, "12345678"), kConnection, kProtocol},
      {"GoawayOnAStream", Frame(NGHTTP2_GOAWAY, 0, 1, Number(0, 8)), kConnection, kProtocol},
      {"ResetWithUnknownCode", Open() + Frame(NGHTTP2_RST_STREAM, 0, 1, Number(0xff, 4)), kAlive,
       0},

      // ---- windows
      {"WindowUpdateZero", WindowUpdate(0, 0), kConnection, kProtocol},
      {"WindowUpdateZeroOfAStream", Open() + WindowUpdate(1, 0), kStream, kProtocol},
      {"WindowOverflow", WindowUpdate(0, 0x7fffffff) + WindowUpdate(0, 0x7fffffff), kConnection,
       kFlow},
      {"WindowOverflowOfAStream",
       Open() + WindowUpdate(1, 0x7fffffff) + WindowUpdate(1, 0x7fffffff), kStream, kFlow},
      {"WindowOverflowBySettings",
       Open() + WindowUpdate(1, 0x7fff0000) +
           Settings(Setting(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0x7fffffff)),
       kStream, kFlow},

      // ---- HPACK
      {"HpackIndexZero", WithBlock("\x80"), kConnection, kCompression},
      {"HpackIndexUnknown", WithBlock("\xff\xff\x01"), kConnection, kCompression},
      {"HpackNameIndexUnknown", WithBlock("\x0f\xff\x01\x01v"), kConnection, kCompression},
      {"HpackTruncated", WithBlock("\0\x05"s), kConnection, kCompression},
      {"HpackHuffmanPaddingTooLong", WithBlock("\0\x01x\x84\x1f\xff\xff\xff"s), kConnection,
       kCompression},
      {"HpackHuffmanPaddingOfZeros", WithBlock("\0\x01x\x81\x18"s), kConnection, kCompression},
      {"HpackHuffmanEndSymbol", WithBlock("\0\x01x\x84\xff\xff\xff\xff"s), kConnection,
       kCompression},
      {"HpackTableSizeTooLarge",
       Frame(NGHTTP2_HEADERS, kEndStream | kEndHeaders, 1, "\x3f\xe2\x1f" + block), kConnection,
       kCompression},
      {"HpackTableSizeAtTheEnd", WithBlock("\x3f\xe1\x1f"), kConnection, kCompression},
      {"HpackTableSizeAtTheStart",
       Frame(NGHTTP2_HEADERS, kEndStream | kEndHeaders, 1, "\x20" + block), kStatus, 200},
      {"HpackIntegerTooLarge", WithBlock("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f"), kConnection,
       kCompression},

      // ---- fields of a request
      {"UpperCaseName", WithFields({{"X-Upper", "v"}}), kStream, kProtocol},
      {"UnknownPseudo", WithFields({{":unknown", "v"}}), kStream, kProtocol},
      {"ResponsePseudo", WithFields({{":status", "200"}}), kStream, kProtocol},
      {"PseudoBehindAField", HeadersFrame(1, FieldList{{"x", "y"}} + RequestFields()), kStream,
       kProtocol},
      {"PseudoInTrailers", Open() + DataFrame(1, "x", 0) + HeadersFrame(1, {{":path", "/"}}),
       kStream, kProtocol},
      {"ConnectionField", WithFields({{"connection", "keep-alive"}}), kStream, kProtocol},
      {"KeepAliveField", WithFields({{"keep-alive", "5"}}), kStream, kProtocol},
      {"ProxyConnectionField", WithFields({{"proxy-connection", "x"}}), kStream, kProtocol},
      {"UpgradeField", WithFields({{"upgrade", "h2c"}}), kStream, kProtocol},
      {"TransferEncodingField", WithFields({{"transfer-encoding", "chunked"}}), kStream, kProtocol},
      {"TeGzip", WithFields({{"te", "gzip"}}), kStream, kProtocol},
      {"TeTrailers", WithFields({{"te", "trailers"}}), kStatus, 200},
      {"NoMethod",
       HeadersFrame(1, {{":scheme", "http"}, {":path", "/"}, {":authority", "app.test"}}), kStream,
       kProtocol},
      {"NoScheme",
       HeadersFrame(1, {{":method", "GET"}, {":path", "/"}, {":authority", "app.test"}}), kStream,
       kProtocol},
      {"NoPath",
       HeadersFrame(1, {{":method", "GET"}, {":scheme", "http"}, {":authority", "app.test"}}),
       kStream, kProtocol},
      {"NoAuthorityNorHost",
       HeadersFrame(1, {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}}), kStream,
       kProtocol},
      {"HostInPlaceOfAuthority",
       HeadersFrame(
           1, {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {"host", "app.test"}}),
       kStatus, 200},
      {"HostAsAuthority", WithFields({{"host", "app.test"}}), kStatus, 200},
      {"HostOtherThanAuthority", WithFields({{"host", "other.test"}}), kStatus, 400},
      {"TwoHosts",
       HeadersFrame(1, {{":method", "GET"},
                        {":scheme", "http"},
                        {":path", "/"},
                        {"host", "app.test"},
                        {"host", "b"}}),
       kStream, kProtocol},
      {"EmptyPath", HeadersFrame(1, RequestFields("GET", "")), kStream, kProtocol},
      {"PathWithoutSlash", HeadersFrame(1, RequestFields("GET", "x")), kStream, kProtocol},
      {"PathAbsolute", HeadersFrame(1, RequestFields("GET", "http://app.test/")), kStream,
       kProtocol},
      {"TwoMethods", WithFields({{":method", "GET"}}), kStream, kProtocol},
      {"TwoPaths", WithFields({{":path", "/"}}), kStream, kProtocol},
      {"TwoSchemes", WithFields({{":scheme", "http"}}), kStream, kProtocol},
      {"TwoAuthorities", WithFields({{":authority", "app.test"}}), kStream, kProtocol},
      {"PathWithSpace", HeadersFrame(1, RequestFields("GET", "/ HTTP/1.1")), kStream, kProtocol},
      {"PathWithNewline", HeadersFrame(1, RequestFields("GET", "/\r\nX: y")), kStream, kProtocol},
      {"PathAboveAscii", HeadersFrame(1, RequestFields("GET", "/\xc3\xa4")), kStatus, 400},
      {"PathWithFragment", HeadersFrame(1, RequestFields("GET", "/a#b")), kStatus, 400},
      {"MethodWithSpace", HeadersFrame(1, RequestFields("GET /x", "/")), kStream, kProtocol},
      {"MethodWithNewline", HeadersFrame(1, RequestFields("GET\r\n", "/")), kStream, kProtocol},
      {"MethodEmpty", HeadersFrame(1, RequestFields("", "/")), kStream, kProtocol},
      {"AuthorityWithSlash",
       HeadersFrame(
           1,
           {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "app.test/x"}}),
       kStream, kProtocol},
      {"AuthorityWithNewline",
       HeadersFrame(1, {{":method", "GET"},
                        {":scheme", "http"},
                        {":path", "/"},
                        {":authority", "app.test\r\nX: y"}}),
       kStream, kProtocol},
      {"AuthorityWithUser",
       HeadersFrame(
           1,
           {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "u@app.test"}}),
       kStatus, 400},
      {"AuthorityWithTwoPorts",
       HeadersFrame(1, {{":method", "GET"},
                        {":scheme", "http"},
                        {":path", "/"},
                        {":authority", "app.test:1:2"}}),
       kStatus, 400},
      {"AuthorityEmpty",
       HeadersFrame(1,
                    {{":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", ""}}),
       kStream, kProtocol},
      {"ValueWithNewline", WithFields({{"x", "a\r\nTransfer-Encoding: chunked"}}), kStream,
       kProtocol},
      {"ValueWithReturn", WithFields({{"x", "a\rb"}}), kStream, kProtocol},
      {"ValueWithNul", WithFields({{"x", "a\0b"s}}), kStream, kProtocol},
      {"ValueWithSpacesAround", WithFields({{"x", " a"}}), kStream, kProtocol},
      {"NameWithColon", WithFields({{"x:y", "v"}}), kStream, kProtocol},
      {"NameWithSpace", WithFields({{"x y", "v"}}), kStream, kProtocol},
      {"NameWithNewline", WithFields({{"x\r\ny", "v"}}), kStream, kProtocol},
      {"NameEmpty", WithFields({{"", "v"}}), kStream, kProtocol},
      {"UnknownExpectation", WithFields({{"expect", "magic"}}), kStatus, 417},
      {"Connect", HeadersFrame(1, {{":method", "CONNECT"}, {":authority", "app.test:443"}}),
       kStatus, 405},
      {"WebSocketThatEndsAsItBegins",
       HeadersFrame(1, {{":method", "CONNECT"},
                        {":protocol", "websocket"},
                        {":scheme", "http"},
                        {":path", "/"},
                        {":authority", "app.test"}}),
       kStatus, 400},

      // ---- how long is the body?
      {"Length",
       HeadersFrame(1, RequestFields("POST") + FieldList{{"content-length", "4"}}, kEndHeaders) +
           DataFrame(1, "ab", 0) + DataFrame(1, "cd"),
       kStatus, 200},
      {"LengthTooSmall",
       HeadersFrame(1, RequestFields("POST") + FieldList{{"content-length", "1"}}, kEndHeaders) +
           DataFrame(1, "ab"),
       kStream, kProtocol},
      {"LengthTooLarge",
       HeadersFrame(1, RequestFields("POST") + FieldList{{"content-length", "3"}}, kEndHeaders) +
           DataFrame(1, "ab"),
       kStream, kProtocol},
      {"LengthTooLargeForThree",
       HeadersFrame(1, RequestFields("POST") + FieldList{{"content-length", "9"}}, kEndHeaders) +
           DataFrame(1, "ab", 0) + DataFrame(1, "cd", 0) + DataFrame(1, ""),
       kStream, kProtocol},
      {"LengthWithoutBody",
       HeadersFrame(1, RequestFields("POST") + FieldList{{"content-length", "3"}}), kStream,
       kProtocol},
      {"TwoLengths",
       HeadersFrame(
           1, RequestFields("POST") + FieldList{{"content-length", "2"}, {"content-length", "3"}},
           kEndHeaders) +
           DataFrame(1, "ab"),
       kStream, kProtocol},
      {"TwoEqualLengths",
       HeadersFrame(
           1, RequestFields("POST") + FieldList{{"content-length", "2"}, {"content-length", "2"}},
           kEndHeaders) +
           DataFrame(1, "ab"),
       kStream, kProtocol},
      {"LengthSigned",
       HeadersFrame(1, RequestFields("POST") + FieldList{{"content-length", "+2"}}, kEndHeaders) +
           DataFrame(1, "ab"),
       kStream, kProtocol},
      {"LengthOverflows",
       HeadersFrame(1,
                    RequestFields("POST") + FieldList{{"content-length", "18446744073709551618"}},
                    kEndHeaders) +
           DataFrame(1, "ab"),
       kStream, kProtocol},
  };
}

// An instance that notes what it was asked for.
struct Instance {
  std::mutex mutex;
  std::set<std::string> methods;
  int whole = 0;  // requests that came to their end

  static http::Task<void> Serve(http::Exchange& exchange, Instance* instance) {
    const Result<std::string> body = co_await exchange.ReadBody(1 << 20);
    {
      const std::lock_guard lock(instance->mutex);
      instance->methods.insert(exchange.request().method + " " + exchange.request().target);
      if (body) ++instance->whole;
    }
    (void)co_await exchange.Respond(200, http::Headers(), "ok");
  }
};

class FrameTest : public testing::TestWithParam<FrameCase> {
 protected:
  // One activator for all cases: a connection each.
  static void SetUpTestSuite() {
    instance_ = std::make_unique<Instance>();
    backend_ = std::make_unique<http::TestServer>(
        [](http::Exchange& exchange) { return Instance::Serve(exchange, instance_.get()); });
    activator_ = std::make_unique<ActivatorFixture>(2, 0);
    activator_->SetPorts({backend_->port()});
    activator_->pool().SetCertificates(std::make_shared<const FileCertificates>(
        FileCertificates{http::MakeCertificate({"app.test"})}));
    tls_port_ = activator_->Listen({.tls = true});
  }
  static void TearDownTestSuite() {
    activator_.reset();
    backend_.reset();
    instance_.reset();
  }
  static int whole() {
    const std::lock_guard lock(instance_->mutex);
    return instance_->whole;
  }
  static void Check(const FrameCase& c, RawHttp2& client);

  static uint16_t tls_port_;
  static std::unique_ptr<Instance> instance_;
  static std::unique_ptr<http::TestServer> backend_;
  static std::unique_ptr<ActivatorFixture> activator_;
};

uint16_t FrameTest::tls_port_ = 0;
std::unique_ptr<Instance> FrameTest::instance_;
std::unique_ptr<http::TestServer> FrameTest::backend_;
std::unique_ptr<ActivatorFixture> FrameTest::activator_;

void PrintTo(const FrameCase& c, std::ostream* out) { *out << c.name; }

void FrameTest::Check(const FrameCase& c, RawHttp2& client) {
  const int before = whole();
  client.Send(c.bytes);
  const bool alive = client.Ping();
  if (c.verdict == Verdict::kStream || c.verdict == Verdict::kStatus) client.ReadStream(1);
  const http::Seen& seen = client.seen();
  const bool connection_error = seen.goaway && *seen.goaway == c.code && !alive;
  switch (c.verdict) {
    case Verdict::kAlive:
      EXPECT_TRUE(alive && !seen.goaway);
      break;
    case Verdict::kConnection:
      EXPECT_TRUE(connection_error)
          << "alive " << alive << ", GOAWAY " << seen.goaway.value_or(999);
      EXPECT_TRUE(client.client().closed());
      break;
    case Verdict::kStream:
      if (!connection_error) {
        ASSERT_TRUE(seen.resets.contains(1)) << "GOAWAY " << seen.goaway.value_or(999);
        EXPECT_EQ(seen.resets.at(1), c.code);
        EXPECT_TRUE(alive);
      }
      EXPECT_FALSE(seen.statuses.contains(1)) << seen.statuses.at(1);
      break;
    case Verdict::kStatus:
      ASSERT_TRUE(seen.statuses.contains(1))
          << "RST " << (seen.resets.contains(1) ? seen.resets.at(1) : 999);
      EXPECT_EQ(seen.statuses.at(1), static_cast<int>(c.code));
      EXPECT_TRUE(alive && !seen.goaway);
      break;
  }
  const bool answered = c.verdict == Verdict::kStatus && c.code == 200;
  // A request that was whole before something else went wrong may have been passed on.
  const bool may_be = c.name.ends_with("BehindTheEnd") || c.name == "SmallerStream";
  if (!may_be) {
    EXPECT_EQ(whole() - before, answered ? 1 : 0);
  }
  // What was passed on is counted before the next case begins.
  while (activator_->in_flight(backend_->port()) != 0) poll(nullptr, 0, 1);
}

TEST_P(FrameTest, IsDealtWith) {
  RawHttp2 client(activator_->port());
  Check(GetParam(), client);
}

TEST_P(FrameTest, IsDealtWithUnderTls) {
  http::TlsTunnel tunnel(tls_port_);
  ASSERT_TRUE(tunnel.connected());
  RawHttp2 client(tunnel.TakeEnd());
  Check(GetParam(), client);
}

INSTANTIATE_TEST_SUITE_P(Table, FrameTest, testing::ValuesIn(FrameCases()),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace updraft::activator
