// OpenSSL's objects with one owner, and its PEM. For core/http alone: other headers do not show
// OpenSSL.
#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

namespace updraft::http {

template <auto Free>
struct FreeWith {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
inline void FreeChain(STACK_OF(X509) * chain) { sk_X509_pop_free(chain, X509_free); }

using BioPtr = std::unique_ptr<BIO, FreeWith<BIO_free>>;
using X509Ptr = std::unique_ptr<X509, FreeWith<X509_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;
using ChainPtr = std::unique_ptr<STACK_OF(X509), FreeWith<FreeChain>>;

// A certificate as OpenSSL has it.
struct ParsedCertificate {
  X509Ptr leaf;
  ChainPtr chain;  // behind the leaf
  KeyPtr key;
};

// What is not there is null.
ParsedCertificate ParsePem(const std::string& chain, const std::string& key);

// The last of OpenSSL's errors in its words; none is left in its queue.
std::string TakeOpensslError();

}  // namespace updraft::http
