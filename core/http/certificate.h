// A certificate chain with its private key, and the hosts it is for. Immutable; safe for concurrent
// use.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace updraft::http {

class Certificate {
 public:
  // From PEM, the leaf first. kInvalidArgument says what is wrong with them, and nothing of what is
  // in the key.
  static Result<std::shared_ptr<const Certificate>> FromPem(std::string chain, std::string key);

  // Whether it names the host, which is in lower case and without port (RFC 6125: a wildcard stands
  // for the whole of the first label).
  bool Covers(std::string_view host) const;

  // Seconds since the epoch.
  int64_t not_after() const { return not_after_; }
  const std::string& chain_pem() const { return chain_; }
  const std::string& key_pem() const { return key_; }
  bool operator==(const Certificate& other) const {
    return chain_ == other.chain_ && key_ == other.key_;
  }

 private:
  Certificate(std::string chain, std::string key)
      : chain_(std::move(chain)), key_(std::move(key)) {}

  const std::string chain_;
  const std::string key_;
  std::vector<std::string> names_;  // lower case
  int64_t not_after_ = 0;
};

// Which certificate a host is served with.
class CertificateSource {
 public:
  struct Choice {
    std::shared_ptr<const Certificate> certificate;  // null: the host is not served
    bool by_default = false;                         // it is nobody's in particular
  };
  // `host`: lower case, without port; empty when the client named none.
  virtual Choice FindCertificate(std::string_view host) const = 0;

 protected:
  ~CertificateSource() = default;
};

}  // namespace updraft::http
