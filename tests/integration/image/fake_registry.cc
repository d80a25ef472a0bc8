#include "tests/integration/image/fake_registry.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <sstream>

#include "core/base/check.h"

namespace updraft::node_agent {
namespace {

// Head and body of one request; false if the client went away.
bool ReadRequest(int fd, FakeRequest& request) {
  std::string bytes;
  std::array<char, 4096> buffer;
  size_t head_end = std::string::npos;
  while ((head_end = bytes.find("\r\n\r\n")) == std::string::npos) {
    const ssize_t size = recv(fd, buffer.data(), buffer.size(), 0);
    if (size <= 0) return false;
    bytes.append(buffer.data(), static_cast<size_t>(size));
    if (bytes[0] == 0x16) return false;  // a TLS handshake: not here
  }
  std::istringstream head(bytes.substr(0, head_end));
  head >> request.method >> request.path;
  std::string line;
  std::getline(head, line);
  while (std::getline(head, line)) {
    const size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    std::string name = line.substr(0, colon);
    std::ranges::transform(name, name.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    std::string value = line.substr(colon + 1);
    value.erase(0, value.find_first_not_of(' '));
    if (value.ends_with('\r')) value.pop_back();
    request.headers[name] = value;
  }
  request.body = bytes.substr(head_end + 4);
  const std::string length = request.Header("content-length");
  while (!length.empty() && request.body.size() < std::stoul(length)) {
    const ssize_t size = recv(fd, buffer.data(), buffer.size(), 0);
    if (size <= 0) return false;
    request.body.append(buffer.data(), static_cast<size_t>(size));
  }
  return true;
}

void SendAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
}

FakeReply Missing(const std::string& code) {
  return {.status = 404, .body = R"({"errors":[{"code":")" + code + R"(","message":"unknown"}]})"};
}

}  // namespace

std::string FakeRequest::Header(const std::string& name) const {
  const auto it = headers.find(name);
  return it == headers.end() ? "" : it->second;
}

FakeRegistry::FakeRegistry()
    : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), stop_(eventfd(0, EFD_CLOEXEC)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  UPDRAFT_CHECK(bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), length) == 0);
  UPDRAFT_CHECK(listen(listener_.get(), 64) == 0);
  UPDRAFT_CHECK(getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &length) == 0);
  port_ = ntohs(address.sin_port);
  thread_ = std::make_unique<NamedThread>("fake-registry", [this] { Run(); });
}

FakeRegistry::~FakeRegistry() {
  eventfd_write(stop_.get(), 1);
  thread_.reset();
}

void FakeRegistry::SetHandler(Handler handler) {
  const std::lock_guard lock(mutex_);
  handler_ = std::move(handler);
}

void FakeRegistry::Add(const TestImage& image, const std::string& tag) {
  const std::lock_guard lock(mutex_);
  blobs_.insert(image.blobs.begin(), image.blobs.end());
  tags_[tag] = image.root;
}

std::vector<FakeRequest> FakeRegistry::Requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

size_t FakeRegistry::Count(const std::string& part) const {
  const std::lock_guard lock(mutex_);
  return static_cast<size_t>(std::ranges::count_if(requests_, [&part](const FakeRequest& request) {
    return request.path.find(part) != std::string::npos;
  }));
}

FakeReply FakeRegistry::Serve(const FakeRequest& request) const {
  const std::lock_guard lock(mutex_);
  const std::string path = request.path.substr(0, request.path.find('?'));
  std::string name = path.substr(path.rfind('/') + 1);
  FakeReply reply;
  if (path.find("/manifests/") != std::string::npos) {
    if (const auto tag = tags_.find(name); tag != tags_.end()) name = tag->second.digest;
    const auto blob = blobs_.find(name);
    if (blob == blobs_.end()) return Missing("MANIFEST_UNKNOWN");
    reply.headers = {"Docker-Content-Digest: " + name, "Content-Type: text/plain"};
    reply.body = blob->second;
    return reply;
  }
  const auto blob = blobs_.find(name);
  if (path.find("/blobs/") == std::string::npos || blob == blobs_.end())
    return Missing("BLOB_UNKNOWN");
  reply.body = blob->second;
  const std::string range = request.Header("range");
  if (range.starts_with("bytes=")) {
    const size_t from = std::stoul(range.substr(6));
    reply.status = 206;
    reply.headers = {"Content-Range: bytes " + std::to_string(from) + "-" +
                     std::to_string(reply.body.size() - 1) + "/" +
                     std::to_string(reply.body.size())};
    reply.body.erase(0, from);
  }
  return reply;
}

void FakeRegistry::Run() {
  while (true) {
    std::array<pollfd, 2> waiting = {{{stop_.get(), POLLIN, 0}, {listener_.get(), POLLIN, 0}}};
    poll(waiting.data(), waiting.size(), -1);
    if (waiting[0].revents != 0) return;
    const UniqueFd client(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (client) Answer(client.get());
  }
}

void FakeRegistry::Answer(int fd) {
  FakeRequest request;
  if (!ReadRequest(fd, request)) {
    // Words that no TLS client understands.
    SendAll(fd, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    return;
  }
  Handler handler;
  {
    const std::lock_guard lock(mutex_);
    requests_.push_back(request);
    handler = handler_;
  }
  const FakeReply reply = handler ? handler(request) : Serve(request);
  std::string head =
      "HTTP/1.1 " + std::to_string(reply.status) +
      " X\r\nConnection: close\r\nContent-Length: " + std::to_string(reply.body.size()) + "\r\n";
  for (const std::string& header : reply.headers) head += header + "\r\n";
  SendAll(fd, head + "\r\n");
  if (request.method == "HEAD") return;
  SendAll(fd, std::string_view(reply.body).substr(0, reply.cut_after));
  if (reply.stall) {
    pollfd waiting{stop_.get(), POLLIN, 0};
    pollfd hang_up{fd, POLLRDHUP, 0};
    std::array<pollfd, 2> both = {waiting, hang_up};
    poll(both.data(), both.size(), -1);
  }
}

}  // namespace updraft::node_agent
