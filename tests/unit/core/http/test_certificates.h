// Certificates that sign themselves, for tests.
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/http/certificate.h"

namespace updraft::http {

struct Pem {
  std::string chain;
  std::string key;
};

inline std::string TextOf(BIO* bio) {
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio, &text);
  std::string copy(text, static_cast<size_t>(size));
  BIO_free(bio);
  return copy;
}

// For the names, the first of which is the subject's. Good for an hour. `key`: taken over.
inline Pem MakePem(const std::vector<std::string>& names, EVP_PKEY* key = EVP_EC_gen("P-256")) {
  X509* const x509 = X509_new();
  X509_set_version(x509, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
  X509_gmtime_adj(X509_getm_notBefore(x509), -60);
  X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
  X509_set_pubkey(x509, key);
  X509_NAME* const subject = X509_get_subject_name(x509);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(names.front().c_str()), -1, -1,
                             0);
  X509_set_issuer_name(x509, subject);
  std::string alternatives;
  for (const std::string& name : names)
    alternatives += (alternatives.empty() ? "DNS:" : ",DNS:") + name;
  X509_EXTENSION* const extension =
      X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, alternatives.c_str());
  X509_add_ext(x509, extension, -1);
  X509_EXTENSION_free(extension);
  X509_sign(x509, key, EVP_sha256());

  BIO* const chain = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(chain, x509);
  BIO* const secret = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(secret, key, nullptr, nullptr, 0, nullptr, nullptr);
  X509_free(x509);
  EVP_PKEY_free(key);
  return {TextOf(chain), TextOf(secret)};
}

inline std::shared_ptr<const Certificate> MakeCertificate(const std::vector<std::string>& names) {
  Pem pem = MakePem(names);
  return *Certificate::FromPem(std::move(pem.chain), std::move(pem.key));
}

}  // namespace updraft::http
