#include "tests/integration/api/raw_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace updraft::controller {

Reply Send(ApiPlatform& platform, const std::string& method, const std::string& target,
           const std::string& body, std::initializer_list<http::Header> headers) {
  http::Request request{.address = "127.0.0.1:" + std::to_string(platform.port()),
                        .method = method,
                        .target = target,
                        .headers = {},
                        .body = body,
                        .deadline = {},
                        .body_bytes_max = 64 << 20};
  for (const http::Header& header : headers) request.headers.Add(header.name, header.value);
  const auto fetched = platform.Await<Result<http::Response>>([&] {
    request.deadline = platform.loop().Now() + Seconds(20);
    return http::Fetch(platform.loop(), request);
  });
  if (!fetched) return {.status = -1, .body = fetched.error().message};
  return {.status = fetched->status, .headers = fetched->headers, .body = fetched->body};
}

WatchClient::WatchClient(uint16_t port, const std::string& target, const std::string& accept) {
  fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
  UPDRAFT_CHECK(connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  const std::string request =
      "GET " + target + " HTTP/1.1\r\nHost: api\r\nAccept: " + accept + "\r\n\r\n";
  UPDRAFT_CHECK(write(fd_, request.data(), request.size()) == static_cast<ssize_t>(request.size()));
  while (raw_.find("\r\n\r\n") == std::string::npos && Fill()) {
  }
  if (raw_.size() > 12) status_ = std::stoi(raw_.substr(9, 3));
  const size_t head = raw_.find("\r\n\r\n");
  raw_.erase(0, head == std::string::npos ? raw_.size() : head + 4);
}

WatchClient::~WatchClient() { close(fd_); }

bool WatchClient::Fill() {
  pollfd fd{fd_, POLLIN, 0};
  char buffer[65536];
  if (poll(&fd, 1, 10'000) <= 0) return false;
  const ssize_t count = read(fd_, buffer, sizeof buffer);
  if (count <= 0) return false;
  raw_.append(buffer, static_cast<size_t>(count));
  return true;
}

Json WatchClient::Next() {
  while (true) {
    const size_t line = text_.find('\n');
    if (line != std::string::npos) {
      const Json event = Json::parse(text_.substr(0, line), nullptr, false);
      text_.erase(0, line + 1);
      return event;
    }
    if (ended_) return nullptr;
    // One chunk: its size in hexadecimal, its bytes, and line ends behind both.
    const size_t end = raw_.find("\r\n");
    const size_t size = end == std::string::npos ? 0 : std::stoul(raw_.substr(0, end), nullptr, 16);
    if (end == std::string::npos || raw_.size() < end + 2 + size + 2) {
      if (!Fill()) return nullptr;
      continue;
    }
    text_ += raw_.substr(end + 2, size);
    raw_.erase(0, end + 2 + size + 2);
    ended_ = size == 0;
  }
}

}  // namespace updraft::controller
