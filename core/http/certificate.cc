#include "core/http/certificate.h"

#include <openssl/x509v3.h>

#include <algorithm>

#include "core/http/host_name.h"
#include "core/http/openssl.h"

namespace updraft::http {
namespace {

constexpr int kChainLengthMax = 16;

// A key that asks for a passphrase is one that we cannot use; nobody is to be asked at a terminal.
int NoPassphrase(char*, int, int, void*) { return -1; }

BioPtr Reading(const std::string& text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

Error Bad(std::string_view what) { return {Code::kInvalidArgument, std::string(what)}; }

std::string NameOf(const ASN1_STRING* text) {
  const std::string_view name(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),  // NOLINT
                              static_cast<size_t>(ASN1_STRING_length(text)));
  return std::string(HostName(name).view());
}

// The DNS names it is for; the subject's common name counts only where there are none.
std::vector<std::string> NamesOf(X509* leaf) {
  std::vector<std::string> names;
  auto* const alternatives =
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(leaf, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(alternatives); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(alternatives, i);
    if (name->type == GEN_DNS) names.push_back(NameOf(name->d.dNSName));
  }
  GENERAL_NAMES_free(alternatives);
  if (!names.empty()) return names;
  X509_NAME* const subject = X509_get_subject_name(leaf);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at >= 0) names.push_back(NameOf(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at))));
  return names;
}

// Whether OpenSSL will take it at a handshake: it refuses weak keys and digests.
bool IsServable(const ParsedCertificate& parsed) {
  using SslContextPtr = std::unique_ptr<SSL_CTX, FreeWith<SSL_CTX_free>>;
  thread_local const SslContextPtr context(SSL_CTX_new(TLS_server_method()));
  return SSL_CTX_use_cert_and_key(context.get(), parsed.leaf.get(), parsed.key.get(),
                                  parsed.chain.get(), 1) == 1;
}

int64_t SecondsOf(const ASN1_TIME* time) {
  ASN1_TIME* const epoch = ASN1_TIME_set(nullptr, 0);
  int days = 0;
  int seconds = 0;
  const bool known = ASN1_TIME_diff(&days, &seconds, epoch, time) == 1;
  ASN1_TIME_free(epoch);
  return known ? int64_t{days} * 86'400 + seconds : 0;
}

}  // namespace

ParsedCertificate ParsePem(const std::string& chain, const std::string& key) {
  ParsedCertificate parsed;
  const BioPtr certificates = Reading(chain);
  parsed.leaf.reset(PEM_read_bio_X509(certificates.get(), nullptr, NoPassphrase, nullptr));
  parsed.chain.reset(sk_X509_new_null());
  while (parsed.leaf && sk_X509_num(parsed.chain.get()) < kChainLengthMax) {
    X509* const next = PEM_read_bio_X509(certificates.get(), nullptr, NoPassphrase, nullptr);
    if (next == nullptr) break;
    sk_X509_push(parsed.chain.get(), next);
  }
  parsed.key.reset(PEM_read_bio_PrivateKey(Reading(key).get(), nullptr, NoPassphrase, nullptr));
  ERR_clear_error();
  return parsed;
}

std::string TakeOpensslError() {
  const char* const reason = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return reason != nullptr ? reason : "unknown";
}

Result<std::shared_ptr<const Certificate>> Certificate::FromPem(std::string chain,
                                                                std::string key) {
  const ParsedCertificate parsed = ParsePem(chain, key);
  if (!parsed.leaf) return Bad("no certificate in PEM");
  if (!parsed.key) return Bad("no private key in PEM that needs no passphrase");
  const bool belong = X509_check_private_key(parsed.leaf.get(), parsed.key.get()) == 1;
  ERR_clear_error();
  if (!belong) return Bad("the private key is not the certificate's");
  if (!IsServable(parsed)) return Bad("not to be served: " + TakeOpensslError());
  std::shared_ptr<Certificate> certificate(new Certificate(std::move(chain), std::move(key)));
  certificate->names_ = NamesOf(parsed.leaf.get());
  certificate->not_after_ = SecondsOf(X509_get0_notAfter(parsed.leaf.get()));
  return std::shared_ptr<const Certificate>(std::move(certificate));
}

bool Certificate::Covers(std::string_view host) const {
  const size_t dot = host.find('.');
  const std::string_view parent = dot == std::string_view::npos ? "" : host.substr(dot);
  return std::ranges::any_of(names_, [&](std::string_view name) {
    return name == host ||
           (dot > 0 && !parent.empty() && name.starts_with("*.") && name.substr(1) == parent);
  });
}

}  // namespace updraft::http
