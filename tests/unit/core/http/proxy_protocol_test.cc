#include "core/http/proxy_protocol.h"

#include <gtest/gtest.h>

#include <string>

namespace updraft::http {
namespace {

using State = ProxyHeader::State;

const std::string kSignature("\r\n\r\n\0\r\nQUIT\n", 12);

std::string Version2(uint8_t command, uint8_t family, const std::string& rest) {
  std::string header = kSignature;
  header += static_cast<char>(command);
  header += static_cast<char>(family);
  header += static_cast<char>(rest.size() >> 8);
  header += static_cast<char>(rest.size() & 0xff);
  return header + rest;
}

const std::string kPorts("\x10\xe1\x01\xbb", 4);  // 4321, 443
const std::string kTcp4 = std::string("\xc0\x00\x02\x01\xc0\x00\x02\x02", 8) + kPorts;
const std::string kTcp6 = std::string("\x20\x01\x0d\xb8", 4) + std::string(11, '\0') + "\x01" +
                          std::string(16, '\x02') + kPorts;
const std::string kTlvs("\x04\x00\x03\x61\x62\x63\x05\x00\x00", 9);

struct Good {
  std::string header;
  std::string source;  // empty: none
};

const Good kGood[] = {
    {"PROXY TCP4 192.0.2.1 192.0.2.2 4321 443\r\n", "192.0.2.1:4321"},
    {"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", "255.255.255.255:65535"},
    {"PROXY TCP4 192.0.2.1 192.0.2.2 0 0\r\n", "192.0.2.1:0"},
    {"PROXY TCP6 2001:db8::1 2001:db8::2 4321 443\r\n", "[2001:db8::1]:4321"},
    {"PROXY UNKNOWN\r\n", ""},
    {"PROXY UNKNOWN ff:ff any thing\r\n", ""},
    {Version2(0x21, 0x11, kTcp4), "192.0.2.1:4321"},
    {Version2(0x21, 0x11, kTcp4 + kTlvs), "192.0.2.1:4321"},
    {Version2(0x21, 0x21, kTcp6), "[2001:db8::1]:4321"},
    {Version2(0x21, 0x21, kTcp6 + kTlvs), "[2001:db8::1]:4321"},
    {Version2(0x21, 0x31, std::string(216, '\0')), ""},
    {Version2(0x21, 0x00, ""), ""},
    {Version2(0x21, 0x00, "whatever"), ""},
    {Version2(0x20, 0x00, ""), ""},
    {Version2(0x20, 0x11, kTcp4), ""},
};

TEST(ProxyProtocolTest, TellsTheSourceAndWhereTheHeaderEnds) {
  for (const auto& [header, source] : kGood) {
    const ProxyHeader read = ParseProxyHeader(header + "GET / HTTP/1.1\r\n");
    EXPECT_EQ(read.state, State::kComplete) << header;
    EXPECT_EQ(read.size, header.size()) << header;
    EXPECT_EQ(read.source ? FormatAddress(*read.source) : "", source) << header;
  }
}

TEST(ProxyProtocolTest, WaitsForTheRestWhereverItIsCut) {
  for (const Good& good : kGood) {
    for (size_t cut = 0; cut < good.header.size(); ++cut) {
      EXPECT_EQ(ParseProxyHeader(good.header.substr(0, cut)).state, State::kIncomplete)
          << good.header << " at " << cut;
    }
  }
}

TEST(ProxyProtocolTest, RefusesEverythingElse) {
  const std::string bad[] = {
      "GET / HTTP/1.1\r\nHost: h\r\n\r\n",
      "\x16\x03\x01",
      "proxy TCP4 192.0.2.1 192.0.2.2 4321 443\r\n",
      "PROXY\tTCP4 192.0.2.1 192.0.2.2 4321 443\r\n",
      "PROXY TCP4 192.0.2.1 192.0.2.2 4321 443\n",
      "PROXY TCP4 192.0.2.1 192.0.2.2 4321 443\r ",
      "PROXY TCP4 192.0.2.1 192.0.2.2 4321\r\n",
      "PROXY TCP4 192.0.2.1 192.0.2.2 4321 443 1\r\n",
      "PROXY TCP4  192.0.2.1 192.0.2.2 4321 443\r\n",
      "PROXY TCP4 192.0.2.1 192.0.2.2 4321 443 \r\n",
      "PROXY TCP4 192.0.2.1 192.0.2.2 65536 443\r\n",
      "PROXY TCP4 192.0.2.1 192.0.2.2 -1 443\r\n",
      "PROXY TCP4 192.0.2.1 192.0.2.2 04321 443\r\n",
      "PROXY TCP4 192.0.2.1 192.0.2.2 4321 x\r\n",
      "PROXY TCP4 192.0.2 192.0.2.2 4321 443\r\n",
      "PROXY TCP4 192.0.2.1 nowhere 4321 443\r\n",
      "PROXY TCP4 2001:db8::1 2001:db8::2 4321 443\r\n",
      "PROXY TCP6 192.0.2.1 192.0.2.2 4321 443\r\n",
      "PROXY UDP4 192.0.2.1 192.0.2.2 4321 443\r\n",
      "PROXY UNKNOWNS\r\n",
      "PROXY \r\n",
      "PROXY " + std::string(120, 'x'),
      "PROXY UNKNOWN " + std::string(92, 'x') + "\r\n",
      Version2(0x22, 0x11, kTcp4),                       // no such command
      Version2(0x11, 0x11, kTcp4),                       // no such version
      Version2(0x21, 0x12, kTcp4),                       // a datagram's
      Version2(0x21, 0x41, kTcp4),                       // no such family
      Version2(0x21, 0x11, kTcp4.substr(1)),             // too short for its addresses
      Version2(0x21, 0x21, kTcp4),                       // the same
      Version2(0x21, 0x11, kTcp4 + kTlvs.substr(0, 5)),  // within a TLV
      Version2(0x21, 0x11, kTcp4 + "\x04"),              // within a TLV's head
      Version2(0x21, 0x11, kTcp4 + std::string(kProxyHeaderBytesMax, '\0')),
  };
  for (const std::string& bytes : bad)
    EXPECT_EQ(ParseProxyHeader(bytes).state, State::kMalformed) << bytes;
}

}  // namespace
}  // namespace updraft::http
