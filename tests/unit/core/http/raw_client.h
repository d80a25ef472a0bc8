// A blocking socket for tests: sends bytes as they are and reads what comes back.
#pragma once

#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <string_view>

#include "core/base/unique_fd.h"
#include "core/http/address.h"

namespace updraft::http {

class RawClient {
 public:
  explicit RawClient(uint16_t port)
      : RawClient(*ParseAddress("127.0.0.1:" + std::to_string(port))) {}
  explicit RawClient(const SocketAddress& address)
      : fd_(socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const int on = 1;
    if (address.family() != AF_UNIX)
      setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    connected_ = connect(fd_.get(), &address.any, address.size) == 0;
  }

  explicit RawClient(UniqueFd connected)
      : fd_(std::move(connected)), connected_(static_cast<bool>(fd_)) {}

  bool connected() const { return connected_; }
  int fd() const { return fd_.get(); }

  bool Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }
  void FinishWriting() { shutdown(fd_.get(), SHUT_WR); }
  void Close() { fd_.Reset(); }
  void Reset() {
    const linger option{1, 0};
    setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &option, sizeof option);
    fd_.Reset();
  }

  // Until the peer closes, or nothing comes for ten seconds.
  std::string ReadAll() {
    while (ReadMore()) {
    }
    return Take(received_.size());
  }
  // Up to and including `mark`, or what came before the end.
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
  // A response with a Content-Length, head and body.
  std::string ReadResponse() {
    std::string head = ReadUntil("\r\n\r\n");
    const size_t at = head.find("Content-Length: ");
    if (at == std::string::npos) return head;
    return head + ReadExactly(std::stoul(head.substr(at + 16)));
  }
  bool closed() const { return closed_; }
  bool was_reset() const { return was_reset_; }

 private:
  bool ReadMore() {
    pollfd waiting{fd_.get(), POLLIN, 0};
    if (poll(&waiting, 1, 10'000) != 1) return false;
    char bytes[65536];
    const ssize_t count = recv(fd_.get(), bytes, sizeof bytes, 0);
    if (count <= 0) {
      closed_ = true;
      was_reset_ = count < 0;
      return false;
    }
    received_.append(bytes, static_cast<size_t>(count));
    return true;
  }
  std::string Take(size_t count) {
    std::string taken = received_.substr(0, count);
    received_.erase(0, count);
    return taken;
  }

  UniqueFd fd_;
  std::string received_;
  bool connected_ = false;
  bool closed_ = false;
  bool was_reset_ = false;
};

inline std::string BodyOf(const std::string& response) {
  const size_t end = response.find("\r\n\r\n");
  return end == std::string::npos ? "" : response.substr(end + 4);
}

}  // namespace updraft::http
