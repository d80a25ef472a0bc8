// A connection under TLS whose near end is in clear text: for clients that know nothing of TLS.
#pragma once

#include <poll.h>
#include <signal.h>

#include <array>
#include <thread>

#include "tests/unit/core/http/tls_client.h"

namespace updraft::http {

// Offers HTTP/2. A thread carries what comes at either end to the other, until one of them closes.
class TlsTunnel {
 public:
  explicit TlsTunnel(uint16_t port) : tls_(port, {.server_name = "app.test", .alpn = "\x02h2"}) {
    std::array<int, 2> pair{};
    (void)socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data());
    near_ = UniqueFd(pair[0]);
    far_ = RawClient(UniqueFd(pair[1]));
    // A ticket is no data: a read that finds nothing else must not wait.
    SSL_clear_mode(tls_.ssl(), SSL_MODE_AUTO_RETRY);
    signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to the socket without further ado
    thread_ = std::thread([this] { Carry(); });
  }
  // Waits until the near end, taken or not, is closed.
  ~TlsTunnel() {
    near_.Reset();
    thread_.join();
  }
  TlsTunnel(const TlsTunnel&) = delete;
  TlsTunnel& operator=(const TlsTunnel&) = delete;

  bool connected() const { return tls_.connected(); }
  // The near end. Once; to be closed before the tunnel goes.
  RawClient TakeEnd() { return RawClient(std::move(near_)); }

 private:
  void Carry() {
    std::array<pollfd, 2> ends = {pollfd{tls_.raw().fd(), POLLIN, 0}, pollfd{far_.fd(), POLLIN, 0}};
    std::array<char, 16384> bytes;
    while (poll(ends.data(), ends.size(), -1) > 0) {
      if (ends[0].revents != 0) {
        const int count = SSL_read(tls_.ssl(), bytes.data(), bytes.size());
        if (count > 0) {
          far_.Send({bytes.data(), static_cast<size_t>(count)});
        } else if (SSL_get_error(tls_.ssl(), count) != SSL_ERROR_WANT_READ) {
          far_.FinishWriting();
          ends[0].fd = -1;  // what is still sent goes nowhere
        }
      }
      if (ends[1].revents != 0) {
        const ssize_t count = recv(far_.fd(), bytes.data(), bytes.size(), 0);
        if (count <= 0) break;
        if (ends[0].fd >= 0) (void)SSL_write(tls_.ssl(), bytes.data(), static_cast<int>(count));
      }
      ERR_clear_error();
    }
  }

  TlsClient tls_;
  UniqueFd near_;
  RawClient far_{UniqueFd()};
  std::thread thread_;
};

}  // namespace updraft::http
