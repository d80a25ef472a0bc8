// What the TLS connections of one loop share: settings, certificates in OpenSSL's form, keys of
// session tickets. One for each loop, because OpenSSL counts references to what it shares, and
// cores that count at the same place wait for one another. Loop thread only, but for reading the
// counters.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/http/certificate.h"
#include "core/http/ticket_keys.h"
#include "core/http/tls_counters.h"

struct ssl_st;

namespace updraft::http {

// What a connection was told apart by in its client's hello. OpenSSL's callbacks fill it in.
struct TlsGreeting {
  std::string host;  // lower case; empty: the client named none
  CertificateSource::Choice choice;
};

class TlsContext {
 public:
  // Versions of HTTP that clients are offered.
  enum class Offer : uint8_t { kHttp1, kHttp1AndHttp2 };

  // `certificates` is asked at every handshake, on the loop's thread, and must outlive this.
  TlsContext(const CertificateSource& certificates, const TicketKeys& keys, Offer offer);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  void SetTicketKeys(const TicketKeys& keys);
  const CertificateSource& certificates() const;
  TlsCounters& counters() { return counters_; }
  const TlsCounters& counters() const { return counters_; }

  // The server's side of a connection; the caller frees it. `greeting` must outlive it.
  ssl_st* NewConnection(TlsGreeting& greeting);

 private:
  struct Parts;
  const std::unique_ptr<Parts> parts_;
  TlsCounters counters_;
};

}  // namespace updraft::http
