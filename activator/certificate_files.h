// Certificates that are kept in files: read at the start and again when they change.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/http/certificate.h"

namespace updraft::activator {

// The first is for hosts that have no other. Immutable; safe for concurrent use.
using FileCertificates = std::vector<std::shared_ptr<const http::Certificate>>;

// The choice for a host among them; null: there are none.
http::CertificateSource::Choice FindCertificate(const FileCertificates& certificates,
                                                std::string_view host);

// One thread.
class CertificateFiles {
 public:
  struct Pair {
    std::string chain;  // paths
    std::string key;
  };
  explicit CertificateFiles(std::vector<Pair> pairs) : pairs_(std::move(pairs)) {}
  // In the order of what Read() returns.
  const std::vector<Pair>& pairs() const { return pairs_; }

  // What they hold now; null: the same as when they were last read well. Errors name the file, and
  // leave what was read before.
  Result<std::shared_ptr<const FileCertificates>> Read();

 private:
  const std::vector<Pair> pairs_;
  std::vector<Pair> read_;  // texts
};

}  // namespace updraft::activator
