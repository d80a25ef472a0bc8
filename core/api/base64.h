// Standard base64 with padding, as secrets and continue tokens use it. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace updraft::api {

std::string EncodeBase64(std::string_view bytes);
// nullopt: not base64. Line breaks are skipped, as Go's decoder does.
std::optional<std::string> DecodeBase64(std::string_view text);

}  // namespace updraft::api
