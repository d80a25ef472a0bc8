#include "core/http/host_name.h"

#include <algorithm>

namespace updraft::http {
namespace {

std::string_view WithoutPort(std::string_view authority) {
  if (authority.starts_with('[')) {
    const size_t end = authority.find(']');
    return end == std::string_view::npos ? std::string_view() : authority.substr(0, end + 1);
  }
  return authority.substr(0, authority.find(':'));
}

}  // namespace

HostName::HostName(std::string_view authority) {
  std::string_view host = WithoutPort(authority);
  if (host.ends_with('.')) host.remove_suffix(1);
  if (host.size() > kBytesMax) return;
  size_ = host.size();
  std::ranges::transform(host, text_.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
}

}  // namespace updraft::http
