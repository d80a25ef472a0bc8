// Keeps the workers' certificates as they are in the files, and their ticket keys fresh. Control loop
// only.
#pragma once

#include <memory>
#include <vector>

#include "activator/certificate_files.h"
#include "activator/tls_metrics.h"
#include "activator/worker_pool.h"
#include "core/base/loop.h"
#include "core/http/ticket_keys.h"

namespace updraft::activator {

class TlsUpkeep {
 public:
  // Both must outlive it.
  TlsUpkeep(Loop& loop, WorkerPool& pool, std::vector<CertificateFiles::Pair> files);
  ~TlsUpkeep();
  TlsUpkeep(const TlsUpkeep&) = delete;
  TlsUpkeep& operator=(const TlsUpkeep&) = delete;

  // Hands the first certificates to the workers, and those that come later. An error names the file
  // that is of no use. Once.
  Status Start();

  // Those that are served from files, by the path of their chain.
  std::vector<ServedCertificate> Served() const;

 private:
  Status Load();
  void LookAgain();
  void RotateKeys();

  Loop& loop_;
  WorkerPool& pool_;
  CertificateFiles files_;
  std::shared_ptr<const FileCertificates> served_ = std::make_shared<const FileCertificates>();
  http::TicketKeys keys_;
  std::string complaint_;  // the last that was logged, until all is well again
  Loop::TimerId look_ = 0;
  Loop::TimerId rotate_ = 0;
};

}  // namespace updraft::activator
