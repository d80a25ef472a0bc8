#include "controller/reconcile/host_rules.h"

#include <cinttypes>
#include <cstdio>
#include <set>

#include "controller/reconcile/domains.h"
#include "controller/reconcile/keys.h"
#include "controller/reconcile/rollout.h"
#include "core/api/access.h"
#include "core/api/meta.h"

namespace updraft::controller {
namespace {

// "hello.default.localhost" of "http://hello.default.localhost:8080".
std::string HostOfUrl(std::string_view url) {
  if (const size_t scheme = url.find("://"); scheme != std::string_view::npos)
    url.remove_prefix(scheme + 3);
  return std::string(url.substr(0, url.find_first_of(":/")));
}

void AddRules(const Json& route, const std::string& tag, const std::string& url,
              const KeptRollout& traffic, const ServingConfig& config,
              std::vector<HostRule>& rules) {
  const std::vector<RevisionShare> shares = SharesOf(traffic.targets, tag, traffic.rollout);
  if (shares.empty()) return;
  const std::string cluster_host = ClusterHost(route, tag, config);
  const std::string external = HostOfUrl(url);
  if (!external.empty() && external != cluster_host)
    rules.push_back({external, tag, false, shares});
  const std::string label = HostLabel(route, tag, config) + "." + api::NamespaceOf(route);
  for (const std::string& host : {label, label + ".svc", cluster_host})
    rules.push_back({host, tag, true, shares});
}

class Hash {
 public:
  void Add(std::string_view text) {
    for (const char c : text) AddByte(static_cast<unsigned char>(c));
    AddByte(0);
  }
  std::string Hex() const {
    char text[17];
    std::snprintf(text, sizeof text, "%016" PRIx64, state_);
    return text;
  }

 private:
  void AddByte(unsigned char byte) { state_ = (state_ ^ byte) * 0x100000001b3; }  // FNV-1a

  uint64_t state_ = 0xcbf29ce484222325;
};

}  // namespace

std::vector<HostRule> HostRulesOf(const Json& route, const ServingConfig& config) {
  std::vector<HostRule> rules;
  const Json& status = api::ArrayAt(route, {"status", "traffic"});
  std::optional<KeptRollout> traffic = ReadRollout(route);
  if (!traffic) traffic = KeptRollout{.targets = ReadTraffic(status)};
  AddRules(route, "", api::StringAt(route, {"status", "url"}), *traffic, config, rules);
  std::set<std::string> seen;
  for (const Json& target : status) {
    const std::string tag = api::StringAt(target, {"tag"});
    if (tag.empty() || !seen.insert(tag).second) continue;
    AddRules(route, tag, api::StringAt(target, {"url"}), *traffic, config, rules);
  }
  return rules;
}

std::string Fingerprint(std::string_view ns, const std::vector<HostRule>& rules) {
  Hash hash;
  for (const HostRule& rule : rules) {
    hash.Add(rule.host);
    hash.Add(rule.tag);
    hash.Add(rule.cluster_local ? "local" : "external");
    for (const RevisionShare& share : rule.shares) {
      hash.Add(std::string(ns) + "/" + share.revision);
      hash.Add(std::to_string(share.percent));
    }
  }
  return hash.Hex();
}

}  // namespace updraft::controller
