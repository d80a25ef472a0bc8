// A blocking client of TLS for tests: OpenSSL's own, over a socket.
#pragma once

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <memory>
#include <string>
#include <string_view>

#include "tests/unit/core/http/raw_client.h"

namespace updraft::http {

struct FreeTls {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
};
using TlsSession = std::unique_ptr<SSL_SESSION, FreeTls>;

struct TlsClientOptions {
  std::string server_name = "a.test";  // empty: none is named
  int version = TLS1_3_VERSION;
  std::string_view alpn = "";      // as on the wire
  SSL_SESSION* session = nullptr;  // to be resumed
};

class TlsClient {
 public:
  // Does not verify certificates: the tests look at them.
  explicit TlsClient(uint16_t port, const TlsClientOptions& options = {})
      : TlsClient(RawClient(port), options) {}
  TlsClient(RawClient connected, const TlsClientOptions& options)
      : raw_(std::move(connected)), context_(SSL_CTX_new(TLS_client_method())) {
    const timeval patience{10, 0};
    setsockopt(raw_.fd(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    SSL_CTX_set_min_proto_version(context_.get(), options.version);
    SSL_CTX_set_max_proto_version(context_.get(), options.version);
    SSL_CTX_set_app_data(context_.get(), this);
    SSL_CTX_set_session_cache_mode(context_.get(), SSL_SESS_CACHE_CLIENT);
    SSL_CTX_sess_set_new_cb(context_.get(), [](SSL* ssl, SSL_SESSION* session) {
      auto* const self = static_cast<TlsClient*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
      self->session_.reset(session);
      return 1;
    });
    ssl_.reset(SSL_new(context_.get()));
    SSL_set_fd(ssl_.get(), raw_.fd());
    if (!options.server_name.empty())
      SSL_set_tlsext_host_name(ssl_.get(), options.server_name.c_str());
    SSL_set_alpn_protos(ssl_.get(), reinterpret_cast<const unsigned char*>(options.alpn.data()),
                        static_cast<unsigned>(options.alpn.size()));
    // A copy, because OpenSSL's client has a session of TLS 1.3 resumed only once.
    const TlsSession copy(options.session == nullptr ? nullptr : SSL_SESSION_dup(options.session));
    if (copy) SSL_set_session(ssl_.get(), copy.get());
    connected_ = SSL_connect(ssl_.get()) == 1;
    if (!connected_) Fail();
  }

  ~TlsClient() {
    // Else OpenSSL takes the session for spoilt.
    SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN);
  }

  bool connected() const { return connected_; }
  const std::string& error() const { return error_; }  // OpenSSL's words for an alert, or ours
  SSL* ssl() { return ssl_.get(); }
  RawClient& raw() { return raw_; }
  bool resumed() const { return SSL_session_reused(ssl_.get()) == 1; }
  // The last ticket that came.
  SSL_SESSION* session() const { return session_.get(); }
  std::string certificate_name() const {
    X509* const peer = SSL_get0_peer_certificate(ssl_.get());
    char name[256] = {};
    if (peer != nullptr)
      X509_NAME_get_text_by_NID(X509_get_subject_name(peer), NID_commonName, name, sizeof name);
    return name;
  }
  std::string protocol() const {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl_.get(), &name, &size);
    return {reinterpret_cast<const char*>(name), size};
  }

  bool Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const int sent = SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()));
      if (sent <= 0) return Fail();
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }
  std::string ReadUntil(std::string_view mark) {
    size_t at = 0;
    while ((at = received_.find(mark)) == std::string::npos) {
      if (!ReadMore()) return Take(received_.size());
    }
    return Take(at + mark.size());
  }
  std::string ReadExactly(size_t count) {
    while (received_.size() < count && ReadMore()) {
    }
    return Take(std::min(count, received_.size()));
  }
  std::string ReadAll() {
    while (ReadMore()) {
    }
    return Take(received_.size());
  }
  std::string ReadResponse() {
    std::string head = ReadUntil("\r\n\r\n");
    const size_t at = head.find("Content-Length: ");
    if (at == std::string::npos) return head;
    return head + ReadExactly(std::stoul(head.substr(at + 16)));
  }
  // The server said that this is the end, with TLS's own words.
  bool ended_cleanly() const { return (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0; }

 private:
  bool Fail() {
    const char* const reason = ERR_reason_error_string(ERR_peek_last_error());
    error_ = reason != nullptr ? reason : "connection closed";
    ERR_clear_error();
    return false;
  }
  bool ReadMore() {
    char bytes[16384];
    const int count = SSL_read(ssl_.get(), bytes, sizeof bytes);
    if (count <= 0) return Fail();
    received_.append(bytes, static_cast<size_t>(count));
    return true;
  }
  std::string Take(size_t count) {
    std::string taken = received_.substr(0, count);
    received_.erase(0, count);
    return taken;
  }

  RawClient raw_;
  std::unique_ptr<SSL_CTX, FreeTls> context_;
  std::unique_ptr<SSL, FreeTls> ssl_;
  TlsSession session_;
  std::string received_;
  std::string error_;
  bool connected_ = false;
};

}  // namespace updraft::http
