#include "controller/streaming/upgrade.h"

#include <algorithm>
#include <optional>

#include "controller/streaming/websocket_frames.h"

namespace updraft::controller {
namespace {

constexpr std::string_view kSpdyVersions = "X-Stream-Protocol-Version";
constexpr std::string_view kWebSocketProtocols = "Sec-WebSocket-Protocol";

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// The first entry of the lists in all fields `name` that is one of `ours`.
std::optional<std::string> Choose(const http::Headers& headers, std::string_view name,
                                  std::span<const std::string_view> ours) {
  for (const http::NamedHeader header : headers) {
    if (!http::EqualsIgnoreCase(header.name, name)) continue;
    std::string_view list = header.value;
    while (!list.empty()) {
      const size_t comma = list.find(',');
      const std::string_view entry = Trimmed(list.substr(0, comma));
      if (std::ranges::find(ours, entry) != ours.end()) return std::string(entry);
      list = comma == std::string_view::npos ? "" : list.substr(comma + 1);
    }
  }
  return std::nullopt;
}

Error Unspoken(const http::RequestHead& request, std::string_view name,
               std::span<const std::string_view> ours) {
  std::string list;
  for (const std::string_view protocol : ours)
    list += (list.empty() ? "" : ", ") + std::string(protocol);
  return {Code::kPermissionDenied, "unable to negotiate protocol: client supports [" +
                                       std::string(request.headers.Get(name).value_or("")) +
                                       "], server accepts [" + list + "]"};
}

}  // namespace

Result<Upgrade> PlanUpgrade(const http::RequestHead& request,
                            std::span<const std::string_view> spdy,
                            std::span<const std::string_view> web_socket) {
  const http::Headers& headers = request.headers;
  Upgrade upgrade;
  // Nobody logs in here, and a page of any site may have its browser open WebSockets to any
  // address.
  if (headers.Has("Origin")) return Error{Code::kPermissionDenied, "streams are not for browsers"};
  if (headers.HasToken("Upgrade", "SPDY/3.1")) {
    const std::optional<std::string> protocol = Choose(headers, kSpdyVersions, spdy);
    if (!protocol) return Unspoken(request, kSpdyVersions, spdy);
    upgrade.protocol = *protocol;
    upgrade.answer.Add("Upgrade", "SPDY/3.1");
    upgrade.answer.Add(kSpdyVersions, *protocol);
    return upgrade;
  }
  if (!headers.HasToken("Upgrade", "websocket")) {
    return Error{Code::kInvalidArgument, "Upgrade request required"};
  }
  const std::string_view key = headers.Get("Sec-WebSocket-Key").value_or("");
  if (request.method != "GET" || headers.Get("Sec-WebSocket-Version").value_or("") != "13" ||
      key.size() != 24) {
    return Error{Code::kInvalidArgument, "this is no handshake of a WebSocket, version 13"};
  }
  const std::optional<std::string> protocol = Choose(headers, kWebSocketProtocols, web_socket);
  if (!protocol) return Unspoken(request, kWebSocketProtocols, web_socket);
  upgrade.transport = Transport::kWebSocket;
  upgrade.protocol = *protocol;
  upgrade.answer.Add("Upgrade", "websocket");
  upgrade.answer.Add("Sec-WebSocket-Accept", WebSocketAccept(key));
  upgrade.answer.Add(kWebSocketProtocols, *protocol);
  return upgrade;
}

}  // namespace updraft::controller
