#include "core/http/address.h"

#include <arpa/inet.h>

#include <charconv>
#include <cstring>

namespace updraft::http {
namespace {

Error BadAddress(std::string_view text) {
  return {Code::kInvalidArgument,
          "\"" + std::string(text) + "\" is not ip:port, [ip]:port or unix:/path"};
}

Result<SocketAddress> ParseLocal(std::string_view path) {
  SocketAddress address;
  if (path.empty() || path.size() >= sizeof address.local.sun_path) {
    return Error{Code::kInvalidArgument,
                 "unix socket path \"" + std::string(path) + "\" is empty or too long"};
  }
  address.local.sun_family = AF_UNIX;
  std::memcpy(address.local.sun_path, path.data(), path.size());
  address.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  return address;
}

}  // namespace

uint16_t SocketAddress::port() const {
  if (family() == AF_INET) return ntohs(v4.sin_port);
  if (family() == AF_INET6) return ntohs(v6.sin6_port);
  return 0;
}

Result<SocketAddress> ParseAddress(std::string_view text) {
  if (text.starts_with("unix:")) return ParseLocal(text.substr(5));
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return BadAddress(text);
  const std::string_view port_text = text.substr(colon + 1);
  uint16_t port = 0;
  const auto [end, error] =
      std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
  if (error != std::errc() || end != port_text.data() + port_text.size()) return BadAddress(text);

  SocketAddress address;
  std::string_view host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    address.v6.sin6_family = AF_INET6;
    address.v6.sin6_port = htons(port);
    address.size = sizeof address.v6;
    if (inet_pton(AF_INET6, std::string(host.substr(1, host.size() - 2)).c_str(),
                  &address.v6.sin6_addr) != 1) {
      return BadAddress(text);
    }
    return address;
  }
  address.v4.sin_family = AF_INET;
  address.v4.sin_port = htons(port);
  address.size = sizeof address.v4;
  if (inet_pton(AF_INET, std::string(host).c_str(), &address.v4.sin_addr) != 1)
    return BadAddress(text);
  return address;
}

std::string FormatAddress(const SocketAddress& address) {
  char text[INET6_ADDRSTRLEN] = {};
  if (address.family() == AF_INET) {
    inet_ntop(AF_INET, &address.v4.sin_addr, text, sizeof text);
    return std::string(text) + ":" + std::to_string(address.port());
  }
  if (address.family() == AF_INET6) {
    inet_ntop(AF_INET6, &address.v6.sin6_addr, text, sizeof text);
    return "[" + std::string(text) + "]:" + std::to_string(address.port());
  }
  return "unix";
}

}  // namespace updraft::http
