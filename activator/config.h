// What the activator is told when it starts.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "activator/certificate_files.h"
#include "activator/worker_pool.h"
#include "core/base/result.h"

namespace updraft::activator {

struct Config {
  std::vector<std::string> http_addresses = {"127.0.0.1:8080", "[::1]:8080"};  // users' requests
  std::vector<std::string> https_addresses = {};                               // the same under TLS
  std::vector<std::string> inside_addresses = {};   // requests of instances, also for cluster-local hosts
  std::string dns_address = {};  // where instances ask for names of services; empty: nowhere
  std::vector<std::string> proxied_addresses = {};  // those of the above that a balancer connects to
  std::vector<std::string> tls_certificates = {};   // files; the first is for hosts without another
  std::vector<std::string> tls_keys = {};           // as many
  bool tls_redirect = false;
  unsigned https_port = 0;  // as users reach it; 0: that of the first of https_addresses
  std::string controller = "unix:/run/updraft/controller.sock";                // RoutingService
  std::string autoscaler = "unix:/run/updraft/autoscaler.sock";                // LoadService
  std::string metrics_address = "127.0.0.1:9192";
  std::string id = {};            // empty: the host's name
  unsigned workers = 0;           // 0: as many as the machine has cores
  unsigned queue_length_max = 10'000;
  unsigned drain_seconds = 45;    // for requests in flight, after SIGTERM or a hand-over
  std::string handover_socket = {};  // where a successor asks for the listening sockets; empty: nowhere
  std::string log_level = "info";
  std::string access_log = {};           // a path, or "-" for standard output; empty: none
  std::string access_log_template = {};  // empty: JSON
  double access_log_sample = 1;          // of all requests, 0 ... 1
};

// kInvalidArgument: flags that do not go together.
Status CheckConfig(const Config& config);
std::vector<ListenAddress> ListenAddresses(const Config& config);
std::vector<CertificateFiles::Pair> CertificatePairs(const Config& config);
uint16_t HttpsPort(const Config& config);

}  // namespace updraft::activator
