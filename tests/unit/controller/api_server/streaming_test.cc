// Frames, negotiation and statuses of exec and port-forward.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/streaming/exit_status.h"
#include "controller/streaming/spdy_frames.h"
#include "controller/streaming/terminal_sizes.h"
#include "controller/streaming/upgrade.h"
#include "controller/streaming/websocket_frames.h"
#include "core/api/json.h"

namespace updraft::controller {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string FromHex(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

// ---- SPDY

// What kubectl 1.32.4 sends when `echo hi | kubectl exec -i p -- cat` is answered.
constexpr std::string_view kKubectlExec =
    "80030001000000290000000100000000000078f9e3c6a7c26260606004a7b392a2d4c45c6851c29a0a0a6800000000ffff"
    "800300010000001700000003000000000000c22e555c92929907000000ffff"
    "800300010000001900000005000000000000c22ac5565c92925f5a02000000ffff"
    "800300010000001500000007000000000000c229975a5404000000ffff"
    "000000030000000368690a"
    "0000000301000000";

// One line for each event.
std::string Describe(SpdyReader& reader) {
  std::string text;
  while (true) {
    const auto event = reader.Next();
    if (!event) return text + "error: " + event.error().message;
    if (!*event) return text;
    static constexpr const char* kNames[] = {"open", "data", "reset", "ping", "goaway", "other"};
    text += std::string(kNames[static_cast<size_t>((*event)->kind)]) + " " + std::to_string((*event)->stream);
    for (const auto& [name, value] : (*event)->headers) text += " " + name + "=" + value;
    if (!(*event)->data.empty()) text += " \"" + (*event)->data + "\"";
    if ((*event)->value != 0) text += " #" + std::to_string((*event)->value);
    text += (*event)->last ? " last; " : "; ";
  }
}

std::string Describe(std::string_view bytes) {
  SpdyReader reader;
  reader.Feed(bytes);
  return Describe(reader);
}

TEST(SpdyReaderTest, ReadsWhatKubectlSends) {
  EXPECT_EQ(Describe(FromHex(kKubectlExec)),
            "open 1 streamtype=error; open 3 streamtype=stdin; open 5 streamtype=stdout; open 7 streamtype=stderr; "
            "data 3 \"hi\n\"; data 3 last; ");
}

TEST(SpdyReaderTest, ReadsItInPiecesOfAnySize) {
  const std::string bytes = FromHex(kKubectlExec);
  for (size_t size = 1; size < bytes.size(); ++size) {
    SpdyReader reader;
    std::string text;
    for (size_t at = 0; at < bytes.size(); at += size) {
      reader.Feed(std::string_view(bytes).substr(at, size));
      text += Describe(reader);
    }
    EXPECT_THAT(text, HasSubstr("open 7 streamtype=stderr; data 3 \"h"));
    EXPECT_TRUE(text.ends_with("data 3 last; ")) << size << ": " << text;
  }
}

struct SpdyCase {
  const char* name;
  const char* hex;
  const char* want;
};

class SpdyFramesTest : public testing::TestWithParam<SpdyCase> {};

TEST_P(SpdyFramesTest, AreReadOrRefused) { EXPECT_EQ(Describe(FromHex(GetParam().hex)), GetParam().want); }

INSTANTIATE_TEST_SUITE_P(
    Table, SpdyFramesTest,
    testing::Values(SpdyCase{"Ping", "800300060000000400000001", "ping 1 #1; "},
                    SpdyCase{"Reset", "80030003000000080000000500000005", "reset 5; "},
                    SpdyCase{"GoAway", "80030007000000080000000700000000", "goaway 7; "},
                    SpdyCase{"SettingsMatterNot", "800300040000000400000000", "other 0; "},
                    SpdyCase{"WindowsMatterNot", "80030009000000080000000100000100", "other 0; "},
                    SpdyCase{"EmptyData", "0000000300000000", "data 3; "},
                    SpdyCase{"HalfAHead", "80030006", ""},
                    SpdyCase{"DataComesAsItIs", "000000030100000468", "data 3 \"h\"; "},
                    SpdyCase{"AnotherVersion", "800200060000000400000001", "error: SPDY: version 2 is not spoken here"},
                    SpdyCase{"TooLarge", "8003000100010000", "error: SPDY: a frame is too large"},
                    SpdyCase{"TooShort", "800300060000000200000001", "error: SPDY: a frame is too short"},
                    SpdyCase{"NotPacked", "80030001000000120000000100000000000068656c6c6f776f72",
                             "error: SPDY: headers cannot be unpacked"},
                    SpdyCase{"AnotherDictionary", "800300010000001000000001000000000000789e11223344",
                             "error: SPDY: headers cannot be unpacked"}),
    [](const auto& test) { return test.param.name; });

TEST(SpdyHeadersTest, ComeBackAsTheyWere) {
  SpdyDeflater deflater;
  SpdyInflater inflater;
  for (const SpdyHeaders& headers : std::vector<SpdyHeaders>{
           {}, {{"port", "80"}, {"requestid", "0"}}, {{"long", std::string(15000, 'x')}}, {{"port", "80"}}}) {
    const Result<SpdyHeaders> back = inflater.Decode(deflater.Encode(headers));
    ASSERT_TRUE(back);
    EXPECT_EQ(*back, headers);
  }
}

TEST(SpdyHeadersTest, BombsAreRefused) {
  SpdyDeflater deflater;
  SpdyInflater inflater;
  const std::string bomb = deflater.Encode({{"a", std::string(50'000'000, 'x')}});
  EXPECT_FALSE(inflater.Decode(bomb));
  SpdyInflater cut;
  EXPECT_FALSE(cut.Decode(SpdyDeflater().Encode({{"port", "80"}}).substr(0, 12)));
}

TEST(SpdyWriterTest, WritesFramesAsAClientReadsThem) {
  SpdyWriter writer;
  const std::string reply = writer.Reply(5);
  EXPECT_EQ(reply.substr(0, 4), FromHex("80030002"));
  EXPECT_EQ(reply.substr(8, 4), FromHex("00000005"));
  const Result<SpdyHeaders> headers = SpdyInflater().Decode(std::string_view(reply).substr(12));
  ASSERT_TRUE(headers);
  EXPECT_TRUE(headers->empty());
  EXPECT_EQ(SpdyWriter::Data(3, "hi"), FromHex("0000000300000002") + "hi");
  EXPECT_EQ(SpdyWriter::End(3), FromHex("0000000301000000"));
  EXPECT_EQ(SpdyWriter::Refuse(9), FromHex("80030003000000080000000900000003"));
  EXPECT_EQ(SpdyWriter::Ping(2), FromHex("800300060000000400000002"));
}

// ---- WebSocket

// A client's frame: masked.
std::string ClientFrame(uint8_t first, std::string_view data, uint8_t mask_bit = 0x80) {
  const std::string mask = {'\x37', '\x21', '\x5a', '\x3d'};
  std::string frame{static_cast<char>(first)};
  if (data.size() <= 125) {
    frame += static_cast<char>(mask_bit | data.size());
  } else {
    frame += static_cast<char>(mask_bit | 126);
    frame += static_cast<char>(data.size() >> 8);
    frame += static_cast<char>(data.size() & 0xff);
  }
  if (mask_bit != 0) frame += mask;
  for (size_t i = 0; i < data.size(); ++i) {
    frame += static_cast<char>(mask_bit != 0 ? data[i] ^ mask[i % 4] : data[i]);
  }
  return frame;
}

std::string Messages(std::string_view bytes, size_t piece) {
  WebSocketReader reader(300);
  std::string text;
  for (size_t at = 0; at < bytes.size(); at += piece) {
    reader.Feed(bytes.substr(at, piece));
    while (true) {
      const auto message = reader.Next();
      if (!message) return text + "error: " + message.error().message;
      if (!*message) break;
      text += std::to_string(static_cast<int>((*message)->kind)) + ":" + (*message)->data + "; ";
    }
  }
  return text;
}

struct MessageCase {
  const char* name;
  std::string bytes;
  std::string want;
};

class WebSocketReaderTest : public testing::TestWithParam<MessageCase> {};

TEST_P(WebSocketReaderTest, ReadsOrRefuses) {
  const MessageCase& c = GetParam();
  EXPECT_EQ(Messages(c.bytes, c.bytes.size()), c.want);
  EXPECT_EQ(Messages(c.bytes, 1), c.want);
}

const std::string kLong(280, 'x');

INSTANTIATE_TEST_SUITE_P(
    Table, WebSocketReaderTest,
    testing::Values(
        // RFC 6455, 5.7: "Hello", masked.
        MessageCase{"AsInTheStandard", FromHex("818537fa213d7f9f4d5158"), "1:Hello; "},
        MessageCase{"Binary", ClientFrame(0x82, "ab"), "2:ab; "}, MessageCase{"Empty", ClientFrame(0x82, ""), "2:; "},
        MessageCase{"Long", ClientFrame(0x82, kLong), "2:" + kLong + "; "},
        MessageCase{"InParts", ClientFrame(0x02, "a") + ClientFrame(0x00, "b") + ClientFrame(0x80, "c"), "2:abc; "},
        MessageCase{"PingBetweenParts", ClientFrame(0x02, "a") + ClientFrame(0x89, "p") + ClientFrame(0x80, "c"),
                    "9:p; 2:ac; "},
        MessageCase{"Close", ClientFrame(0x88, FromHex("03e8")), "8:" + FromHex("03e8") + "; "},
        MessageCase{"NotMasked", ClientFrame(0x82, "a", 0), "error: WebSocket: a client's frame is not masked"},
        MessageCase{"Reserved", ClientFrame(0xc2, "a"), "error: WebSocket: a reserved bit is set"},
        MessageCase{"UnknownOpcode", ClientFrame(0x83, "a"), "error: WebSocket: unknown opcode"},
        MessageCase{"PartOfNothing", ClientFrame(0x80, "a"), "error: WebSocket: messages are mixed"},
        MessageCase{"Mixed", ClientFrame(0x02, "a") + ClientFrame(0x82, "b"), "error: WebSocket: messages are mixed"},
        MessageCase{"PingInParts", ClientFrame(0x09, "a"),
                    "error: WebSocket: a control frame in parts, or too long"},
        MessageCase{"TooLong", ClientFrame(0x82, std::string(301, 'x')),
                    "error: WebSocket: a message is longer than 300 bytes"},
        MessageCase{"TooLongInParts", ClientFrame(0x02, kLong) + ClientFrame(0x80, kLong),
                    "error: WebSocket: a message is longer than 300 bytes"},
        MessageCase{"SaysItIsEndless", FromHex("82ffffffffffffffffff00000000"),
                    "error: WebSocket: a message is longer than 300 bytes"}),
    [](const auto& test) { return test.param.name; });

TEST(WebSocketFrameTest, HasTheShortestLength) {
  using Kind = WebSocketMessage::Kind;
  EXPECT_EQ(WebSocketFrame(Kind::kBinary, "ab"), FromHex("8202") + "ab");
  EXPECT_EQ(WebSocketFrame(Kind::kBinary, std::string(126, 'x')).substr(0, 4), FromHex("827e007e"));
  EXPECT_EQ(WebSocketFrame(Kind::kText, std::string(70000, 'x')).substr(0, 10), FromHex("817f0000000000011170"));
  EXPECT_EQ(WebSocketCloseFrame(1000, "bye"), FromHex("880503e8") + "bye");
}

TEST(WebSocketAcceptTest, IsAsInTheStandard) {
  EXPECT_EQ(WebSocketAccept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST(Base64Test, GoesBothWays) {
  for (const std::string text : {"", "a", "ab", "abc", "abcd"}) EXPECT_EQ(FromBase64(ToBase64(text)), text);
  EXPECT_EQ(ToBase64("ab"), "YWI=");
  EXPECT_FALSE(FromBase64("YWI"));
  EXPECT_FALSE(FromBase64("Y!I="));
}

// ---- negotiation

constexpr std::string_view kOverSpdy[] = {"v4.channel.k8s.io"};
constexpr std::string_view kOverWebSocket[] = {"v5.channel.k8s.io", "v4.channel.k8s.io"};

std::string Plan(std::string_view method, http::Headers headers) {
  http::RequestHead request;
  request.method = method;
  request.headers = std::move(headers);
  const Result<Upgrade> upgrade = PlanUpgrade(request, kOverSpdy, kOverWebSocket);
  if (!upgrade) return upgrade.error().message;
  return (upgrade->transport == Transport::kSpdy ? "spdy " : "websocket ") + upgrade->protocol;
}

TEST(PlanUpgradeTest, TakesTheFirstProtocolThatBothSpeak) {
  EXPECT_EQ(Plan("POST", {{"Upgrade", "SPDY/3.1"},
                          {"X-Stream-Protocol-Version", "v5.channel.k8s.io"},
                          {"X-Stream-Protocol-Version", "v4.channel.k8s.io"},
                          {"X-Stream-Protocol-Version", "channel.k8s.io"}}),
            "spdy v4.channel.k8s.io");
  EXPECT_EQ(Plan("GET", {{"Upgrade", "websocket"},
                         {"Sec-WebSocket-Version", "13"},
                         {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
                         {"Sec-WebSocket-Protocol", "base64.channel.k8s.io, v4.channel.k8s.io, v5.channel.k8s.io"}}),
            "websocket v4.channel.k8s.io");
}

TEST(PlanUpgradeTest, RefusesWhatItDoesNotSpeak) {
  EXPECT_EQ(Plan("GET", {}), "Upgrade request required");
  EXPECT_EQ(Plan("GET", {{"Upgrade", "h2c"}}), "Upgrade request required");
  EXPECT_THAT(Plan("POST", {{"Upgrade", "SPDY/3.1"}, {"X-Stream-Protocol-Version", "v9"}}),
              HasSubstr("unable to negotiate protocol: client supports [v9], server accepts [v4.channel.k8s.io]"));
  EXPECT_THAT(Plan("POST", {{"Upgrade", "websocket"}}), HasSubstr("no handshake"));
  EXPECT_THAT(Plan("GET", {{"Upgrade", "websocket"}, {"Sec-WebSocket-Version", "13"}, {"Sec-WebSocket-Key", "short"}}),
              HasSubstr("no handshake"));
}

TEST(PlanUpgradeTest, PagesInBrowsersOpenNothing) {
  EXPECT_EQ(Plan("GET", {{"Upgrade", "websocket"},
                         {"Sec-WebSocket-Version", "13"},
                         {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
                         {"Sec-WebSocket-Protocol", "v4.channel.k8s.io"},
                         {"Origin", "http://elsewhere.example"}}),
            "streams are not for browsers");
}

// ---- what is said of a process, and of a terminal

TEST(ExitStatusTest, SaysHowItEnded) {
  EXPECT_EQ(StatusOfExit(0), R"({"metadata":{},"status":"Success"})");
  const auto failed = nlohmann::json::parse(StatusOfExit(3));
  EXPECT_EQ(failed["status"], "Failure");
  EXPECT_EQ(failed["reason"], "NonZeroExitCode");
  EXPECT_EQ(failed["details"]["causes"][0], (nlohmann::json{{"reason", "ExitCode"}, {"message", "3"}}));
  const auto lost = nlohmann::json::parse(StatusOfError({Code::kInternal, "no such \"\xff"}));
  EXPECT_EQ(lost["reason"], "InternalError");
}

TEST(TerminalSizesTest, AreReadWhereverTheyAreCut) {
  const ClientTerminalSize first{.columns = 80, .rows = 24};
  const ClientTerminalSize second{.columns = 101, .rows = 33};
  TerminalSizes sizes;
  EXPECT_THAT(sizes.Feed("{\"Width\":80,\"Height\":24}\n{\"Width\":1"), ElementsAre(first));
  EXPECT_THAT(sizes.Feed("01,\"Height\":33}"), ElementsAre(second));
  EXPECT_THAT(sizes.Feed("}{\"Width\":-1,\"Height\":2}{\"Width\":0,\"Height\":2}{}[]"), ElementsAre());
  EXPECT_THAT(sizes.Feed(std::string(100'000, 'x')), ElementsAre());
  EXPECT_THAT(sizes.Feed("\n{\"Width\":80,\"Height\":24}"), ElementsAre(first));
}

}  // namespace
}  // namespace updraft::controller
