// Listening sockets and a small scripted server for tests, all on the test's loop.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "core/base/loop.h"
#include "core/base/unique_fd.h"

namespace updraft::node_agent {

// A bound socket on 127.0.0.1 that does not listen: connections to it are refused, and its port is
// ours.
class BoundPort {
 public:
  BoundPort() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    socklen_t length = sizeof address;
    getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&address), &length);
    port_ = ntohs(address.sin_port);
  }
  void Listen() { EXPECT_EQ(listen(fd_.get(), 64), 0); }
  uint16_t port() const { return port_; }
  int fd() const { return fd_.get(); }

 private:
  UniqueFd fd_;
  uint16_t port_ = 0;
};

// Accepts connections one after the other and answers each with `reply` once it has read a
// request's head; an empty reply is never sent.
class ScriptedServer : private FdObserver {
 public:
  ScriptedServer(Loop& loop, std::string reply, SSL_CTX* tls = nullptr)
      : loop_(loop), reply_(std::move(reply)), tls_(tls), conversation_(*this) {
    port_.Listen();
    loop_.Watch(port_.fd(), EPOLLIN, this);
  }
  ~ScriptedServer() {
    loop_.Unwatch(port_.fd(), this);
    conversation_.End();
  }
  uint16_t port() const { return port_.port(); }
  const std::string& request() const { return request_; }

 private:
  struct Conversation : FdObserver {
    explicit Conversation(ScriptedServer& s) : server(s) {}
    void OnReady(uint32_t /*events*/) override { server.Serve(); }
    void End() {
      if (!fd) return;
      server.loop_.Unwatch(fd.get(), this);
      SSL_free(std::exchange(ssl, nullptr));
      fd.Reset();
    }
    ScriptedServer& server;
    UniqueFd fd;
    SSL* ssl = nullptr;
  };

  void OnReady(uint32_t /*events*/) override {
    conversation_.End();
    conversation_.fd.Reset(accept4(port_.fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!conversation_.fd) return;
    request_.clear();
    if (tls_ != nullptr) {
      conversation_.ssl = SSL_new(tls_);
      SSL_set_fd(conversation_.ssl, conversation_.fd.get());
      SSL_set_accept_state(conversation_.ssl);
    }
    loop_.Watch(conversation_.fd.get(), EPOLLIN, &conversation_);
  }

  void Serve() {
    char chunk[4096];
    SSL* ssl = conversation_.ssl;
    const long got = ssl != nullptr ? SSL_read(ssl, chunk, sizeof chunk)
                                    : recv(conversation_.fd.get(), chunk, sizeof chunk, 0);
    if (got <= 0) {
      if (ssl == nullptr || SSL_get_error(ssl, static_cast<int>(got)) != SSL_ERROR_WANT_READ)
        conversation_.End();
      return;
    }
    request_.append(chunk, static_cast<size_t>(got));
    if (!request_.ends_with("\r\n\r\n") || reply_.empty()) return;
    if (ssl != nullptr) {
      SSL_write(ssl, reply_.data(), static_cast<int>(reply_.size()));
      SSL_shutdown(ssl);
    } else {
      send(conversation_.fd.get(), reply_.data(), reply_.size(), MSG_NOSIGNAL);
    }
    conversation_.End();
  }

  Loop& loop_;
  const std::string reply_;
  SSL_CTX* const tls_;
  BoundPort port_;
  Conversation conversation_;
  std::string request_;
};

// Runs the loop until something calls Stop(); fails the test after ten seconds.
inline void RunToEnd(Loop& loop) {
  const Loop::TimerId guard = loop.At(RealClock().Now() + Seconds(10), [&loop] {
    ADD_FAILURE() << "nothing happened in ten seconds";
    loop.Stop();
  });
  loop.Run();
  loop.Cancel(guard);
}

}  // namespace updraft::node_agent
