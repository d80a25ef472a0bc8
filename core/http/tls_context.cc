#include "core/http/tls_context.h"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "core/base/check.h"
#include "core/http/host_name.h"
#include "core/http/openssl.h"

namespace updraft::http {
namespace {

using SslContextPtr = std::unique_ptr<SSL_CTX, FreeWith<SSL_CTX_free>>;

// Forward secrecy and authenticated encryption only (RFC 9325); TLS 1.3 has nothing else.
constexpr const char* kTls12Ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20";
constexpr const char* kGroups = "X25519:P-256:P-384";
constexpr size_t kTicketsPerHandshake = 1;

constexpr std::string_view kHttp1Offer = "\x08http/1.1";
constexpr std::string_view kHttp1AndHttp2Offer =
    "\x02h2"
    "\x08http/1.1";

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());  // NOLINT: OpenSSL's idea of text
}

}  // namespace

struct TlsContext::Parts {
  Parts(const CertificateSource& source, const TicketKeys& ticket_keys, Offer to_offer)
      : certificates(source), keys(ticket_keys), offer(to_offer) {}

  static int OnServerName(SSL* ssl, int* alert, void* self);
  static int OnCertificate(SSL* ssl, void* self);
  static int OnAlpn(SSL* ssl, const unsigned char** chosen, unsigned char* chosen_size,
                    const unsigned char* offered, unsigned offered_size, void* self);
  static int OnTicket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                      EVP_MAC_CTX* mac, int sealing);
  const ParsedCertificate& ParsedOf(const std::shared_ptr<const Certificate>& certificate);

  struct Held {
    std::weak_ptr<const Certificate> of;
    ParsedCertificate parsed;
  };
  const CertificateSource& certificates;
  TicketKeys keys;
  const Offer offer;
  SslContextPtr context;
  std::unordered_map<const Certificate*, Held> held;  // parsed when first used
  size_t sweep_at = 64;
};

TlsContext::TlsContext(const CertificateSource& certificates, const TicketKeys& keys, Offer offer)
    : parts_(std::make_unique<Parts>(certificates, keys, offer)) {
  parts_->context.reset(SSL_CTX_new(TLS_server_method()));
  SSL_CTX* const context = parts_->context.get();
  UPDRAFT_CHECK(context != nullptr);
  UPDRAFT_CHECK(SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1);
  UPDRAFT_CHECK(SSL_CTX_set_cipher_list(context, kTls12Ciphers) == 1);
  UPDRAFT_CHECK(SSL_CTX_set1_groups_list(context, kGroups) == 1);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
                                   // HTTP says itself where messages end.
                                   SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);  // the client's ticket has it all
  SSL_CTX_set_num_tickets(context, kTicketsPerHandshake);
  SSL_CTX_set_app_data(context, parts_.get());
  SSL_CTX_set_tlsext_servername_callback(context, Parts::OnServerName);
  SSL_CTX_set_tlsext_servername_arg(context, parts_.get());
  SSL_CTX_set_cert_cb(context, Parts::OnCertificate, parts_.get());
  SSL_CTX_set_alpn_select_cb(context, Parts::OnAlpn, parts_.get());
  SSL_CTX_set_tlsext_ticket_key_evp_cb(context, Parts::OnTicket);
}

TlsContext::~TlsContext() = default;

void TlsContext::SetTicketKeys(const TicketKeys& keys) { parts_->keys = keys; }

const CertificateSource& TlsContext::certificates() const { return parts_->certificates; }

ssl_st* TlsContext::NewConnection(TlsGreeting& greeting) {
  SSL* const ssl = SSL_new(parts_->context.get());
  UPDRAFT_CHECK(ssl != nullptr);
  SSL_set_app_data(ssl, &greeting);
  SSL_set_accept_state(ssl);
  return ssl;
}

int TlsContext::Parts::OnServerName(SSL* ssl, int* alert, void* self) {
  auto& greeting = *static_cast<TlsGreeting*>(SSL_get_app_data(ssl));
  const char* const name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  if (name != nullptr) greeting.host = HostName(name).view();
  greeting.choice = static_cast<Parts*>(self)->certificates.FindCertificate(greeting.host);
  if (greeting.choice.certificate == nullptr) {
    *alert = SSL_AD_UNRECOGNIZED_NAME;
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  return name != nullptr ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

int TlsContext::Parts::OnCertificate(SSL* ssl, void* self) {
  const auto& greeting = *static_cast<TlsGreeting*>(SSL_get_app_data(ssl));
  const ParsedCertificate& parsed =
      static_cast<Parts*>(self)->ParsedOf(greeting.choice.certificate);
  return SSL_use_cert_and_key(ssl, parsed.leaf.get(), parsed.key.get(), parsed.chain.get(), 1);
}

const ParsedCertificate& TlsContext::Parts::ParsedOf(
    const std::shared_ptr<const Certificate>& certificate) {
  Held& found = held[certificate.get()];
  // Another one may have been at the same address before.
  if (found.of.lock() == certificate) return found.parsed;
  found = {certificate, ParsePem(certificate->chain_pem(), certificate->key_pem())};
  if (held.size() > sweep_at) {
    std::erase_if(held, [](const auto& entry) { return entry.second.of.expired(); });
    sweep_at = std::max(sweep_at, 2 * held.size());
  }
  return held[certificate.get()].parsed;
}

int TlsContext::Parts::OnAlpn(SSL*, const unsigned char** chosen, unsigned char* chosen_size,
                              const unsigned char* offered, unsigned offered_size, void* self) {
  const bool both = static_cast<Parts*>(self)->offer == Offer::kHttp1AndHttp2;
  const std::string_view ours = both ? kHttp1AndHttp2Offer : kHttp1Offer;
  unsigned char* out = nullptr;
  if (SSL_select_next_proto(&out, chosen_size, Bytes(ours), static_cast<unsigned>(ours.size()),
                            offered, offered_size) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *chosen = out;
  return SSL_TLSEXT_ERR_OK;
}

// 1: go on; 2: the same, and give the client a new ticket; 0: not ours; -1: failed.
int TlsContext::Parts::OnTicket(SSL* ssl, unsigned char* name, unsigned char* iv,
                                EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac, int sealing) {
  const auto* const parts = static_cast<Parts*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  const TicketKey* key = &parts->keys.current;
  int outcome = 1;
  if (sealing != 0) {
    std::ranges::copy(key->name, name);
    if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1) return -1;
  } else if (!std::equal(key->name.begin(), key->name.end(), name)) {
    key = &parts->keys.previous;
    outcome = 2;
    if (!std::equal(key->name.begin(), key->name.end(), name)) return 0;
  }
  auto* const mac_key = const_cast<unsigned char*>(key->mac.data());  // NOLINT: only read
  char digest[] = "SHA256";
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, mac_key, key->mac.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_end()};
  const bool ready =
      EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key->cipher.data(), iv, sealing) == 1 &&
      EVP_MAC_CTX_set_params(mac, params) == 1;
  return ready ? outcome : -1;
}

}  // namespace updraft::http
