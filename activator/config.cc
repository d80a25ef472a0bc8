#include "activator/config.h"

#include <algorithm>

#include "core/http/address.h"

namespace updraft::activator {
namespace {

constexpr uint16_t kHttpsPort = 443;

bool Contains(const std::vector<std::string>& all, const std::string& one) {
  return std::ranges::find(all, one) != all.end();
}

}  // namespace

Status CheckConfig(const Config& config) {
  if (config.tls_certificates.size() != config.tls_keys.size())
    return Error{Code::kInvalidArgument, "each --tls-cert needs its --tls-key"};
  for (const std::string& address : config.proxied_addresses) {
    if (Contains(config.http_addresses, address) || Contains(config.https_addresses, address)) continue;
    return Error{Code::kInvalidArgument,
                 "--proxy-protocol " + address + " is neither an --http-address nor an --https-address"};
  }
  return Ok();
}

std::vector<ListenAddress> ListenAddresses(const Config& config) {
  std::vector<ListenAddress> addresses;
  const auto add = [&](const std::vector<std::string>& all, bool tls) {
    for (const std::string& address : all)
      addresses.push_back({address, tls, Contains(config.proxied_addresses, address)});
  };
  add(config.http_addresses, false);
  add(config.https_addresses, true);
  return addresses;
}

std::vector<CertificateFiles::Pair> CertificatePairs(const Config& config) {
  std::vector<CertificateFiles::Pair> pairs;
  for (size_t i = 0; i < config.tls_certificates.size(); ++i)
    pairs.push_back({config.tls_certificates[i], config.tls_keys[i]});
  return pairs;
}

uint16_t HttpsPort(const Config& config) {
  if (config.https_port != 0) return static_cast<uint16_t>(config.https_port);
  if (config.https_addresses.empty()) return kHttpsPort;
  const auto address = http::ParseAddress(config.https_addresses.front());
  return address && address->port() != 0 ? address->port() : kHttpsPort;
}

}  // namespace updraft::activator
