#include "controller/reconcile/gateway_services.h"

#include "controller/reconcile/keys.h"

namespace updraft::controller {
namespace {

// Whoever asks is on the machine, as long as there is one.
constexpr char kAddress[] = "127.0.0.1";

struct Gateway {
  const char* ns;
  const char* name;
};
constexpr Gateway kGateways[] = {{"istio-system", "istio-ingressgateway"},  // what they look for
                                 {"kourier-system", "kourier"}};  // what they may be told of

Json Port(const char* name, uint16_t port) {
  return {{"name", name},
          {"port", port},
          {"targetPort", port},
          {"nodePort", port},
          {"protocol", "TCP"}};
}

}  // namespace

std::vector<std::pair<ObjectKey, Json>> GatewayServices(const ServingConfig& config) {
  std::vector<std::pair<ObjectKey, Json>> services;
  for (const Gateway& gateway : kGateways) {
    Json service = {
        {"apiVersion", "v1"},
        {"kind", "Service"},
        {"metadata", {{"name", gateway.name}, {"namespace", gateway.ns}}},
        {"spec",
         {{"type", "LoadBalancer"},
          {"sessionAffinity", "None"},
          {"ports",
           Json::array({Port("http2", config.http_port), Port("https", config.https_port)})}}},
        {"status", {{"loadBalancer", {{"ingress", Json::array({{{"ip", kAddress}}})}}}}}};
    services.emplace_back(ObjectKey{resource::kCoreServices, gateway.ns, gateway.name},
                          std::move(service));
  }
  return services;
}

}  // namespace updraft::controller
