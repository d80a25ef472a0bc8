// What became of the TLS handshakes of one loop. The loop writes, any thread reads. Pure.
#pragma once

#include <atomic>
#include <cstdint>

namespace updraft::http {

struct TlsCounters {
  using Count = std::atomic<uint64_t>;
  struct OfVersion {
    Count full = 0;
    Count resumed = 0;  // with a ticket of an earlier connection
  };

  OfVersion tls12 = {};
  OfVersion tls13 = {};
  Count refused = 0;    // the client speaks no TLS, or wants what is not to be had
  Count abandoned = 0;  // it went away, or took too long

  static void Add(Count& count) { count.fetch_add(1, std::memory_order_relaxed); }
};

}  // namespace updraft::http
