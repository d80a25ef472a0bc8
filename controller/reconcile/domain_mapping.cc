#include "controller/reconcile/domain_mapping.h"

#include <functional>

#include "controller/reconcile/domains.h"
#include "controller/reconcile/host_rules.h"
#include "controller/reconcile/keys.h"
#include "controller/reconcile/route_table.h"
#include "controller/reconcile/status_pass.h"
#include "controller/reconcile/tls_secret.h"
#include "core/api/access.h"
#include "core/api/conditions.h"
#include "core/api/meta.h"

namespace updraft::controller {
namespace {

// Of claims that were made for a mapping: "namespace/name".
constexpr char kMadeFor[] = "updraft.dev/made-for";

constexpr char kDomainClaimed[] = "DomainClaimed";
constexpr char kReferenceResolved[] = "ReferenceResolved";
constexpr char kIngressReady[] = "IngressReady";
constexpr char kCertificateProvisioned[] = "CertificateProvisioned";

std::string RefField(const Json& mapping, const char* field) {
  return api::StringAt(mapping, {"spec", "ref", field});
}

// app.other.localhost is for namespace `other` alone.
bool IsHostOfAnotherNamespace(const std::string& name, const std::string& ns,
                              const ServingConfig& config) {
  const std::string suffix = "." + config.domain;
  if (!name.ends_with(suffix)) return false;
  const std::string rest = name.substr(0, name.size() - suffix.size());
  const size_t dot = rest.find('.');
  return dot != std::string::npos && rest.find('.', dot + 1) == std::string::npos &&
         rest.substr(dot + 1) != ns;
}

std::string MadeFor(std::string_view ns, std::string_view name) {
  return std::string(ns) + "/" + std::string(name);
}

Json NewClaim(const Json& mapping) {
  const std::string ns = api::NamespaceOf(mapping);
  const std::string name = api::NameOf(mapping);
  return {{"apiVersion", "networking.internal.knative.dev/v1alpha1"},
          {"kind", "ClusterDomainClaim"},
          {"metadata", {{"name", name}, {"annotations", {{kMadeFor, MadeFor(ns, name)}}}}},
          {"spec", {{"namespace", ns}}}};
}

enum class Claim { kOurs, kToBeMade, kForeign };

Claim JudgeClaim(const DomainMappingInputs& in, const ServingConfig& config) {
  const std::string ns = api::NamespaceOf(*in.mapping);
  if (IsHostOfAnotherNamespace(api::NameOf(*in.mapping), ns, config)) return Claim::kForeign;
  if (in.claim)
    return api::StringAt(*in.claim, {"spec", "namespace"}) == ns ? Claim::kOurs : Claim::kForeign;
  const bool may_be_made = config.network.autocreate_cluster_domain_claims && !in.asked_elsewhere;
  return may_be_made ? Claim::kToBeMade : Claim::kForeign;
}

// Why requests cannot be led there; nullopt: they can.
std::optional<std::string> Unresolved(const DomainMappingInputs& in) {
  const std::string kind = RefField(*in.mapping, "kind");
  const std::string name = RefField(*in.mapping, "name");
  if (!ReferredRoute(*in.mapping))
    return RefField(*in.mapping, "apiVersion") + ", Kind=" + kind + " is not addressable";
  if (!in.route) {
    return std::string(kind == "Route" ? "routes" : "services") + ".serving.knative.dev " +
           InQuotes(name) + " not found";
  }
  if (api::StringAt(*in.route, {"status", "address", "url"}).empty())
    return "address not set for " + kind + " " + InQuotes(name);
  return std::nullopt;
}

void JudgeCertificate(const DomainMappingInputs& in, StatusPass& pass) {
  const auto named = ReferredSecret(*in.mapping);
  if (!named) {
    pass.MarkTrue(kCertificateProvisioned, "TLSNotEnabled", "external-domain-tls is not enabled");
    return;
  }
  if (!in.secret) {
    pass.MarkFalse(kCertificateProvisioned, "CertificateProvisionFailed",
                   "secret " + InQuotes(named->name) + " not found");
    return;
  }
  const Result<TlsPair> pair = TlsPairOf(*in.secret);
  if (!pair) {
    pass.MarkFalse(kCertificateProvisioned, "CertificateProvisionFailed", pair.error().message);
    return;
  }
  pass.MarkTrue(kCertificateProvisioned, "CertificateExternallyProvided");
}

// As long as it is not known whether activators route by the newest, what was ready stays so:
// nothing flickers when a restarted controller has not heard from them yet.
void JudgeIngress(const DomainMappingInputs& in, const ServingConfig& config, StatusPass& pass) {
  const v1::Route wanted = BuildMapping(pass.object(), in.route.get(), in.secret.get(), config);
  if (wanted.hosts_size() > 0 && in.programmed(MappingFingerprint(wanted))) {
    pass.MarkTrue(kIngressReady);
  } else if (!api::IsConditionTrue(*in.mapping, kIngressReady) || wanted.hosts_size() == 0) {
    pass.MarkUnknown(kIngressReady, "IngressNotConfigured", "Ingress has not yet been reconciled.");
  }
}

void Configure(const DomainMappingInputs& in, const ServingConfig& config, StatusPass& pass) {
  const Json& mapping = *in.mapping;
  const std::string name = api::NameOf(mapping);
  const std::string url =
      ReferredSecret(mapping) ? ExternalHttpsUrl(name, config) : ExternalUrl(name, config);
  pass.status()["url"] = url;
  pass.status()["address"] = {{"url", url}};
  if (JudgeClaim(in, config) == Claim::kForeign) {
    pass.MarkFalse(kDomainClaimed, "DomainAlreadyClaimed",
                   "The domain name is already in use by another DomainMapping");
    return;
  }
  pass.MarkTrue(kDomainClaimed);
  JudgeCertificate(in, pass);
  if (const auto why = Unresolved(in)) {
    pass.MarkFalse(kReferenceResolved, "ResolveFailed", *why);
    return;
  }
  pass.MarkTrue(kReferenceResolved);
  JudgeIngress(in, config, pass);
}

}  // namespace

std::optional<ObjectKey> ReferredRoute(const Json& mapping) {
  const std::string kind = RefField(mapping, "kind");
  const bool ours = RefField(mapping, "apiVersion").starts_with("serving.knative.dev/");
  if (!ours || (kind != "Service" && kind != "Route")) return std::nullopt;
  return KeyIn(mapping, resource::kRoutes, RefField(mapping, "name"));
}

std::optional<ObjectKey> ReferredSecret(const Json& mapping) {
  const std::string name = api::StringAt(mapping, {"spec", "tls", "secretName"});
  if (name.empty()) return std::nullopt;
  return KeyIn(mapping, resource::kSecrets, name);
}

ReconcilePlan ReconcileDomainMapping(const DomainMappingInputs& in, const ServingConfig& config,
                                     WallTime now) {
  ReconcilePlan plan;
  if (JudgeClaim(in, config) == Claim::kToBeMade) {
    // The mapping is looked at again once there is one, this one or another's that came before.
    plan.writes.push_back(CreateObject{ClaimOf(api::NameOf(*in.mapping)), NewClaim(*in.mapping)});
    return plan;
  }
  StatusPass pass(*in.mapping, api::DomainMappingConditions(), now);
  Configure(in, config, pass);
  pass.Finish(KeyOf(*in.mapping, resource::kDomainMappings), plan);
  return plan;
}

ReconcilePlan WithoutDomainMapping(const ObjectKey& mapping,
                                   const std::shared_ptr<const Json>& claim) {
  ReconcilePlan plan;
  if (claim && api::AnnotationOf(*claim, kMadeFor) == MadeFor(mapping.ns, mapping.name)) {
    plan.writes.push_back(
        DeleteObject{ClaimOf(mapping.name), api::UidOf(*claim), Propagation::kBackground});
  }
  return plan;
}

ObjectKey ClaimOf(std::string_view domain) {
  return {.resource = resource::kDomainClaims, .ns = "", .name = std::string(domain)};
}

v1::Route BuildMapping(const Json& mapping, const Json* route, const Json* secret,
                       const ServingConfig& config) {
  const std::string ns = api::NamespaceOf(mapping);
  v1::Route message;
  message.set_key(ns + "/" + api::NameOf(mapping));
  if (route == nullptr || !api::IsConditionTrue(mapping, kDomainClaimed)) return message;
  const std::vector<HostRule> rules = HostRulesOf(*route, config);
  if (rules.empty() || !rules.front().tag.empty()) return message;
  message.set_https_only(IsHttpsOnly(mapping, config));
  v1::HostRule& host = *message.add_hosts();
  host.set_host(api::NameOf(mapping));
  AddSplits(ns, rules.front().shares, host);
  if (secret == nullptr) return message;
  Result<TlsPair> pair = TlsPairOf(*secret);
  if (!pair) return message;
  message.mutable_certificate()->set_chain(std::move(pair->chain));
  message.mutable_certificate()->set_private_key(std::move(pair->key));
  return message;
}

std::string MappingFingerprint(const v1::Route& route) {
  const auto hash = [](const std::string& text) {
    return std::to_string(std::hash<std::string>()(text));
  };
  return RouteFingerprint(route) + " " + (route.https_only() ? "https " : "") +
         hash(route.certificate().chain()) + hash(route.certificate().private_key());
}

}  // namespace updraft::controller
