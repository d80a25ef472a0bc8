#include "controller/streaming/terminal_sizes.h"

#include <nlohmann/json.hpp>
#include <optional>

namespace updraft::controller {
namespace {

constexpr size_t kUnreadMax = 1024;
constexpr uint32_t kSideMax = 0xffff;

std::optional<uint32_t> SideOf(const nlohmann::json& object, const char* name) {
  const auto it = object.find(name);
  if (it == object.end() || !it->is_number_unsigned()) return std::nullopt;
  const auto side = it->get<uint64_t>();
  if (side == 0 || side > kSideMax) return std::nullopt;
  return static_cast<uint32_t>(side);
}

}  // namespace

std::vector<ClientTerminalSize> TerminalSizes::Feed(std::string_view bytes) {
  std::vector<ClientTerminalSize> sizes;
  unread_ += bytes;
  for (size_t end = unread_.find('}'); end != std::string::npos; end = unread_.find('}')) {
    const nlohmann::json object = nlohmann::json::parse(unread_.substr(0, end + 1), nullptr, false);
    unread_.erase(0, end + 1);
    if (!object.is_object()) continue;
    const std::optional<uint32_t> columns = SideOf(object, "Width");
    const std::optional<uint32_t> rows = SideOf(object, "Height");
    if (columns && rows) sizes.push_back({.columns = *columns, .rows = *rows});
  }
  if (unread_.size() > kUnreadMax) unread_.clear();
  return sizes;
}

}  // namespace updraft::controller
