#include "controller/instances/pull_auth.h"

#include <algorithm>
#include <iterator>

#include "controller/instances/named_entries.h"
#include "core/api/access.h"
#include "core/api/base64.h"

namespace updraft::controller {
namespace {

// "https://index.docker.io/v1/" is written where docker.io is meant; of the rest, host[:port]
// counts.
std::string RegistryOf(std::string_view key) {
  if (const size_t scheme = key.find("://"); scheme != std::string_view::npos)
    key.remove_prefix(scheme + 3);
  key = key.substr(0, key.find('/'));
  if (key == "index.docker.io" || key == "registry-1.docker.io") return "docker.io";
  return std::string(key);
}

v1::ImageAuth ReadAuth(const std::string& registry, const Json& entry) {
  v1::ImageAuth auth;
  auth.set_registry(RegistryOf(registry));
  auth.set_username(api::StringAt(entry, {"username"}));
  auth.set_password(api::StringAt(entry, {"password"}));
  auth.set_identity_token(api::StringAt(entry, {"identitytoken"}));
  const auto pair = api::DecodeBase64(api::StringAt(entry, {"auth"}));
  if (auth.username().empty() && pair) {
    const size_t colon = pair->find(':');
    if (colon != std::string::npos) {
      auth.set_username(pair->substr(0, colon));
      auth.set_password(pair->substr(colon + 1));
    }
  }
  return auth;
}

void AddNamed(const Json& references, const NamedObjects& named, std::vector<v1::ImageAuth>& out) {
  for (const Json& reference : references) {
    const auto secret = named.secret ? named.secret(api::StringAt(reference, {"name"})) : nullptr;
    if (secret) std::ranges::move(AuthOf(*secret), std::back_inserter(out));
  }
}

}  // namespace

std::vector<v1::ImageAuth> AuthOf(const Json& secret) {
  const Entries entries = EntriesOf(secret, EntrySource::kSecret);
  std::vector<v1::ImageAuth> out;
  for (const char* key : {".dockerconfigjson", ".dockercfg"}) {
    const auto it = entries.find(key);
    if (it == entries.end()) continue;
    Json config = Json::parse(it->second, nullptr, /*allow_exceptions=*/false);
    const bool old_form = it->first == ".dockercfg";
    const Json& registries =
        old_form ? api::ObjectAt(config, {}) : api::ObjectAt(config, {"auths"});
    for (const auto& [registry, entry] : registries.items())
      out.push_back(ReadAuth(registry, entry));
  }
  return out;
}

std::vector<v1::ImageAuth> PullAuthOf(const Json& pod_spec, const NamedObjects& named) {
  std::vector<v1::ImageAuth> out;
  AddNamed(api::ArrayAt(pod_spec, {"imagePullSecrets"}), named, out);
  const std::string account_name = api::StringAt(pod_spec, {"serviceAccountName"}, "default");
  const auto account = named.service_account ? named.service_account(account_name) : nullptr;
  if (account) AddNamed(api::ArrayAt(*account, {"imagePullSecrets"}), named, out);
  return out;
}

}  // namespace updraft::controller
