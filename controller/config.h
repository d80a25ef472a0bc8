// What the controller is told when it starts.
#pragma once

#include <cstdint>
#include <string>

#include "core/store/etcd_options.h"

namespace updraft::controller {

struct Config {
  std::string api_address = "127.0.0.1:6443";  // the Kubernetes-shaped API, plain HTTP
  std::string grpc_address =
      "unix:/run/updraft/controller.sock";  // node-agents, activators, autoscaler
  std::string metrics_address = "127.0.0.1:9090";
  std::string store = "sqlite:/var/lib/updraft/controller/store.db";  // see OpenStore
  store::EtcdTls store_tls = {};
  std::string domain = "localhost";  // of URLs: name.namespace.domain
  uint16_t http_port = 8080;         // where activators listen, as URLs have it
  uint16_t https_port = 443;         // the same for TLS
  std::string log_level = "info";
};

}  // namespace updraft::controller
