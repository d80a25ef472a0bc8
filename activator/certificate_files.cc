#include "activator/certificate_files.h"

#include <algorithm>
#include <fstream>
#include <sstream>

namespace updraft::activator {
namespace {

Result<std::string> ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  if (!in) return Error{Code::kNotFound, path + " cannot be read"};
  return text.str();
}

bool Same(const CertificateFiles::Pair& a, const CertificateFiles::Pair& b) {
  return a.chain == b.chain && a.key == b.key;
}

}  // namespace

http::CertificateSource::Choice FindCertificate(const FileCertificates& certificates,
                                                std::string_view host) {
  if (certificates.empty()) return {};
  const auto found = std::ranges::find_if(
      certificates, [host](const auto& certificate) { return certificate->Covers(host); });
  if (found != certificates.end()) return {*found, false};
  return {certificates.front(), true};
}

Result<std::shared_ptr<const FileCertificates>> CertificateFiles::Read() {
  std::vector<Pair> texts;
  FileCertificates certificates;
  for (const Pair& pair : pairs_) {
    Result<std::string> chain = ReadFile(pair.chain);
    if (!chain) return chain.error();
    Result<std::string> key = ReadFile(pair.key);
    if (!key) return key.error();
    texts.push_back({*std::move(chain), *std::move(key)});
  }
  if (std::ranges::equal(texts, read_, Same)) return std::shared_ptr<const FileCertificates>();
  for (size_t i = 0; i < texts.size(); ++i) {
    auto certificate = http::Certificate::FromPem(texts[i].chain, texts[i].key);
    if (!certificate) return Context(pairs_[i].chain, certificate.error());
    certificates.push_back(*std::move(certificate));
  }
  read_ = std::move(texts);
  return std::make_shared<const FileCertificates>(std::move(certificates));
}

}  // namespace updraft::activator
