#include "core/http/proxy_protocol.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <string>

namespace updraft::http {
namespace {

constexpr std::string_view kSignature1 = "PROXY ";
constexpr std::string_view kSignature2 = {"\r\n\r\n\0\r\nQUIT\n", 12};
constexpr size_t kLineBytesMax = 107;  // of version 1, with its end
constexpr size_t kFixedBytes = 16;     // of version 2, before the addresses
constexpr size_t kTlvHeadBytes = 3;

constexpr ProxyHeader kIncomplete = {};

ProxyHeader Malformed() { return {.state = ProxyHeader::State::kMalformed}; }

ProxyHeader Complete(size_t size, const std::optional<SocketAddress>& source = std::nullopt) {
  return {.state = ProxyHeader::State::kComplete, .size = size, .source = source};
}

SocketAddress Address4(const char* ip, uint16_t port) {
  SocketAddress address;
  address.v4.sin_family = AF_INET;
  std::memcpy(&address.v4.sin_addr, ip, sizeof address.v4.sin_addr);
  address.v4.sin_port = htons(port);
  address.size = sizeof address.v4;
  return address;
}

SocketAddress Address6(const char* ip, uint16_t port) {
  SocketAddress address;
  address.v6.sin6_family = AF_INET6;
  std::memcpy(&address.v6.sin6_addr, ip, sizeof address.v6.sin6_addr);
  address.v6.sin6_port = htons(port);
  address.size = sizeof address.v6;
  return address;
}

// ---- version 1: "PROXY TCP4 192.0.2.1 192.0.2.2 4321 443\r\n"

std::optional<uint16_t> ParsePort(std::string_view text) {
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (text.size() > 1 && text.front() == '0') return std::nullopt;
  return port;
}

bool ParseIp(int family, std::string_view text, std::array<char, 16>& ip) {
  return text.size() < INET6_ADDRSTRLEN &&
         inet_pton(family, std::string(text).c_str(), ip.data()) == 1;
}

// The words between single spaces; false: not as many as there are to be.
template <size_t N>
bool SplitWords(std::string_view text, std::array<std::string_view, N>& words) {
  for (size_t i = 0; i + 1 < N; ++i) {
    const size_t space = text.find(' ');
    if (space == std::string_view::npos) return false;
    words[i] = text.substr(0, space);
    text.remove_prefix(space + 1);
  }
  words[N - 1] = text;
  return std::ranges::none_of(words, [](std::string_view word) {
    return word.empty() || word.find(' ') != std::string_view::npos;
  });
}

ProxyHeader ParseLine(std::string_view line, size_t size) {
  if (line == "UNKNOWN" || line.starts_with("UNKNOWN ")) return Complete(size);
  std::array<std::string_view, 5> words;
  if (!SplitWords(line, words)) return Malformed();
  const bool v4 = words[0] == "TCP4";
  if (!v4 && words[0] != "TCP6") return Malformed();
  const int family = v4 ? AF_INET : AF_INET6;
  std::array<char, 16> source;
  std::array<char, 16> destination;
  const std::optional<uint16_t> port = ParsePort(words[3]);
  if (!ParseIp(family, words[1], source) || !ParseIp(family, words[2], destination) || !port ||
      !ParsePort(words[4])) {
    return Malformed();
  }
  return Complete(size, v4 ? Address4(source.data(), *port) : Address6(source.data(), *port));
}

ProxyHeader ParseVersion1(std::string_view bytes) {
  const std::string_view line = bytes.substr(0, kLineBytesMax);
  const size_t end = line.find_first_of("\r\n");
  if (end == std::string_view::npos)
    return line.size() == kLineBytesMax ? Malformed() : kIncomplete;
  if (line[end] == '\n') return Malformed();
  if (end + 1 == line.size()) return line.size() == kLineBytesMax ? Malformed() : kIncomplete;
  if (line[end + 1] != '\n') return Malformed();
  return ParseLine(line.substr(kSignature1.size(), end - kSignature1.size()), end + 2);
}

// ---- version 2: signature, version and command, family and protocol, length, addresses, TLVs

uint16_t Read16(std::string_view bytes) {
  return static_cast<uint16_t>(static_cast<uint8_t>(bytes[0]) << 8 |
                               static_cast<uint8_t>(bytes[1]));
}

bool AreTlvs(std::string_view bytes) {
  while (!bytes.empty()) {
    if (bytes.size() < kTlvHeadBytes) return false;
    const size_t size = kTlvHeadBytes + Read16(bytes.substr(1));
    if (bytes.size() < size) return false;
    bytes.remove_prefix(size);
  }
  return true;
}

ProxyHeader ParseAddresses(uint8_t family, std::string_view rest, size_t size) {
  struct Form {
    uint8_t family;
    size_t bytes;
  };
  constexpr std::array<Form, 4> forms = {{{0x00, 0}, {0x11, 12}, {0x21, 36}, {0x31, 216}}};
  const auto* const form = std::ranges::find(forms, family, &Form::family);
  if (form == forms.end() || rest.size() < form->bytes) return Malformed();
  if (family == 0x00) return Complete(size);  // not said: what follows is of no known form
  if (!AreTlvs(rest.substr(form->bytes))) return Malformed();
  if (family == 0x11) return Complete(size, Address4(rest.data(), Read16(rest.substr(8))));
  if (family == 0x21) return Complete(size, Address6(rest.data(), Read16(rest.substr(32))));
  return Complete(size);
}

ProxyHeader ParseVersion2(std::string_view bytes) {
  if (bytes.size() == kSignature2.size()) return kIncomplete;
  const auto command = static_cast<uint8_t>(bytes[12]);
  if (command != 0x20 && command != 0x21) return Malformed();
  if (bytes.size() < kFixedBytes) return kIncomplete;
  const size_t size = kFixedBytes + Read16(bytes.substr(14));
  if (size > kProxyHeaderBytesMax) return Malformed();
  if (bytes.size() < size) return kIncomplete;
  if (command == 0x20) return Complete(size);  // the balancer's own, as its health checks are
  return ParseAddresses(static_cast<uint8_t>(bytes[13]),
                        bytes.substr(kFixedBytes, size - kFixedBytes), size);
}

}  // namespace

ProxyHeader ParseProxyHeader(std::string_view bytes) {
  if (kSignature1.starts_with(bytes.substr(0, kSignature1.size())))
    return bytes.size() < kSignature1.size() ? kIncomplete : ParseVersion1(bytes);
  if (kSignature2.starts_with(bytes.substr(0, kSignature2.size())))
    return bytes.size() < kSignature2.size() ? kIncomplete : ParseVersion2(bytes);
  return Malformed();
}

}  // namespace updraft::http
