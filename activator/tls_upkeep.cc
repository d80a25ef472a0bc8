#include "activator/tls_upkeep.h"

#include <utility>

#include "core/base/log.h"

namespace updraft::activator {
namespace {

constexpr Nanos kLookEvery = Seconds(5);
// A ticket is good for two hours: its key stays known for longer than that.
constexpr Nanos kRotateEvery = std::chrono::hours(4);

}  // namespace

TlsUpkeep::TlsUpkeep(Loop& loop, WorkerPool& pool, std::vector<CertificateFiles::Pair> files)
    : loop_(loop), pool_(pool), files_(std::move(files)), keys_(http::MakeTicketKeys()) {}

TlsUpkeep::~TlsUpkeep() {
  loop_.Cancel(look_);
  loop_.Cancel(rotate_);
}

Status TlsUpkeep::Start() {
  pool_.SetTicketKeys(keys_);
  rotate_ = loop_.After(kRotateEvery, [this] { RotateKeys(); });
  look_ = loop_.After(kLookEvery, [this] { LookAgain(); });
  return Load();
}

std::vector<ServedCertificate> TlsUpkeep::Served() const {
  std::vector<ServedCertificate> served;
  for (size_t i = 0; i < served_->size(); ++i)
    served.push_back({.source = "file", .name = files_.pairs()[i].chain, .not_after = (*served_)[i]->not_after()});
  return served;
}

Status TlsUpkeep::Load() {
  const auto read = files_.Read();
  if (!read) return read.error();
  if (*read == nullptr) return Ok();
  served_ = *read;
  pool_.SetCertificates(served_);
  Log(Level::kInfo, "certificates_read", {{"count", (*read)->size()}});
  return Ok();
}

void TlsUpkeep::LookAgain() {
  const Status status = Load();
  const std::string complaint = status ? "" : status.error().message;
  if (!complaint.empty() && complaint != complaint_)
    Log(Level::kError, "certificates_unusable", {{"error", complaint}, {"served", "those that were read before"}});
  complaint_ = complaint;
  look_ = loop_.After(kLookEvery, [this] { LookAgain(); });
}

void TlsUpkeep::RotateKeys() {
  keys_ = http::Rotate(keys_);
  pool_.SetTicketKeys(keys_);
  rotate_ = loop_.After(kRotateEvery, [this] { RotateKeys(); });
}

}  // namespace updraft::activator
