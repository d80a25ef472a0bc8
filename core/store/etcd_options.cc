#include "core/store/etcd_options.h"

#include <algorithm>

namespace updraft::store {
namespace {

constexpr std::string_view kDefaultPort = ":2379";

bool IsPort(std::string_view text) {
  return !text.empty() && text.size() <= 5 &&
         std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// Empty: it is none.
std::string ToEndpoint(std::string_view text) {
  const size_t bracket = text.rfind(']');
  const size_t colon = text.rfind(':');
  const bool has_port =
      colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  const std::string_view host = text.substr(0, has_port ? colon : text.size());
  if (host.empty() || (host.find(':') != std::string_view::npos && !host.starts_with('[')))
    return {};
  if (host.find_first_of(" @?#") != std::string_view::npos) return {};
  if (has_port && !IsPort(text.substr(colon + 1))) return {};
  return std::string(text).append(has_port ? "" : kDefaultPort);
}

}  // namespace

Result<EtcdOptions> ParseEtcdSpec(std::string_view spec) {
  const Error invalid{Code::kInvalidArgument, "store \"" + std::string(spec) +
                                                  "\" is not etcd://HOST:PORT,HOST:PORT.../PREFIX"};
  if (!spec.starts_with(kEtcdScheme)) return invalid;
  std::string_view rest = spec.substr(kEtcdScheme.size());
  EtcdOptions options;
  const size_t slash = std::min(rest.find('/'), rest.size());
  options.prefix = rest.substr(slash);
  while (options.prefix.ends_with('/')) options.prefix.pop_back();
  rest = rest.substr(0, slash);
  while (true) {
    const size_t comma = std::min(rest.find(','), rest.size());
    std::string endpoint = ToEndpoint(rest.substr(0, comma));
    if (endpoint.empty()) return invalid;
    options.endpoints.push_back(std::move(endpoint));
    if (comma == rest.size()) return options;
    rest.remove_prefix(comma + 1);
  }
}

}  // namespace updraft::store
