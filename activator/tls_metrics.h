// The series about TLS: handshakes, and until when certificates are good.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/http/tls_counters.h"
#include "core/metrics/exposition.h"

namespace updraft::activator {

struct ServedCertificate {
  std::string source = {};  // "file" or "route"
  std::string name = {};    // the file's path, the route's first host
  int64_t not_after = 0;    // seconds since the epoch
};

// Asked for each page, on the control loop.
struct TlsFigures {
  std::vector<const http::TlsCounters*> handshakes = {};  // of all workers
  std::vector<ServedCertificate> certificates = {};
};

// What `figures` stands on must outlive the pages.
void ShowTls(metrics::Exposition& exposition, std::function<TlsFigures()> figures);

}  // namespace updraft::activator
