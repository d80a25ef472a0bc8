#include "node-agent/probe/http_attempt.h"

#include <openssl/err.h>
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace updraft::node_agent {
namespace {

constexpr size_t kAnswerBytesMax = 16 * 1024;  // of the head; the body is nobody's business
constexpr std::string_view kUserAgent = "kube-probe/1.32";

bool SameName(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return tolower(x) == tolower(y); });
}

bool FitsOneLine(std::string_view text) {
  return text.find_first_of("\r\n") == std::string_view::npos;
}

bool Has(const HttpCall& call, std::string_view name) {
  return std::ranges::any_of(call.headers,
                             [name](const auto& header) { return SameName(header.first, name); });
}

}  // namespace

std::string RequestText(const HttpCall& call) {
  std::string path = call.path;
  std::erase_if(path, [](char c) { return c == '\r' || c == '\n' || c == ' '; });
  std::string text = "GET " + path + " HTTP/1.1\r\n";
  if (!Has(call, "Host")) text += "Host: " + HostPort(call.ip, call.port) + "\r\n";
  if (!Has(call, "User-Agent")) text += "User-Agent: " + std::string(kUserAgent) + "\r\n";
  if (!Has(call, "Accept")) text += "Accept: */*\r\n";
  for (const auto& [name, value] : call.headers) {
    const bool usable =
        !name.empty() && FitsOneLine(name) && FitsOneLine(value) && !SameName(name, "Connection");
    if (usable) text += name + ": " + value + "\r\n";
  }
  return text + "Connection: close\r\n\r\n";
}

std::optional<int> StatusIn(std::string_view answer) {
  while (true) {
    const size_t line_end = answer.find("\r\n");
    if (line_end == std::string_view::npos) {
      const std::string_view begin = std::string_view("HTTP/1.").substr(0, answer.size());
      if (!answer.starts_with(begin)) return 0;
      return std::nullopt;
    }
    const std::string_view line = answer.substr(0, line_end);
    const bool well_formed =
        line.size() >= 12 && line.starts_with("HTTP/1.") && line[8] == ' ' &&
        std::ranges::all_of(line.substr(9, 3), [](char c) { return c >= '0' && c <= '9'; });
    if (!well_formed) return 0;
    const int status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
    if (status >= 200) return status;
    const size_t head_end = answer.find("\r\n\r\n");
    if (head_end == std::string_view::npos) return std::nullopt;
    answer.remove_prefix(head_end + 4);
  }
}

HttpAttempt::HttpAttempt(Loop& loop, const HttpCall& call, SSL_CTX* tls, Nanos timeout,
                         ProbeDone done)
    : SocketAttempt(loop, {call.ip, call.port}, timeout, std::move(done)),
      url_((call.tls ? "https://" : "http://") + HostPort(call.ip, call.port) + call.path),
      unsent_(RequestText(call)) {
  if (call.tls) ssl_ = SSL_new(tls);
}

HttpAttempt::~HttpAttempt() { SSL_free(ssl_); }

void HttpAttempt::OnConnected() {
  if (ssl_ != nullptr) {
    SSL_set_fd(ssl_, fd());
    SSL_set_connect_state(ssl_);
  }
  OnTraffic(EPOLLOUT);
}

void HttpAttempt::OnTraffic(uint32_t /*events*/) {
  Transfer transfer = unsent_.empty() ? Transfer::kDone : Send();
  if (transfer == Transfer::kDone) transfer = Receive();
  if (transfer == Transfer::kFailed)
    return Fail(ssl_ != nullptr ? "TLS handshake or transfer failed" : "connection reset by peer");
  const bool closed = transfer == Transfer::kClosed;
  if (!closed && !StatusIn(received_) && received_.size() < kAnswerBytesMax) return Want(wanted_);
  Judge(closed);
}

HttpAttempt::Transfer HttpAttempt::Send() {
  while (!unsent_.empty()) {
    int sent = 0;
    if (ssl_ != nullptr) {
      sent = SSL_write(ssl_, unsent_.data(), static_cast<int>(unsent_.size()));
      if (sent <= 0) return TlsOutcome(sent);
    } else {
      sent = static_cast<int>(send(fd(), unsent_.data(), unsent_.size(), MSG_NOSIGNAL));
      if (sent < 0) {
        wanted_ = EPOLLOUT;
        return errno == EAGAIN ? Transfer::kWait : Transfer::kFailed;
      }
    }
    unsent_.erase(0, static_cast<size_t>(sent));
  }
  return Transfer::kDone;
}

// Takes all that is there: a connection closed with unread bytes ends in a reset, which
// applications log.
HttpAttempt::Transfer HttpAttempt::Receive() {
  std::array<char, 4096> chunk;
  while (received_.size() < kAnswerBytesMax) {
    int got = 0;
    if (ssl_ != nullptr) {
      got = SSL_read(ssl_, chunk.data(), chunk.size());
      if (got <= 0) return TlsOutcome(got);
    } else {
      got = static_cast<int>(recv(fd(), chunk.data(), chunk.size(), 0));
      if (got == 0) return Transfer::kClosed;
      if (got < 0) {
        wanted_ = EPOLLIN;
        return errno == EAGAIN ? Transfer::kWait : Transfer::kFailed;
      }
    }
    received_.append(chunk.data(), static_cast<size_t>(got));
  }
  return Transfer::kDone;
}

HttpAttempt::Transfer HttpAttempt::TlsOutcome(int returned) {
  const int error = SSL_get_error(ssl_, returned);
  ERR_clear_error();
  switch (error) {
    case SSL_ERROR_WANT_READ:
      wanted_ = EPOLLIN;
      return Transfer::kWait;
    case SSL_ERROR_WANT_WRITE:
      wanted_ = EPOLLOUT;
      return Transfer::kWait;
    case SSL_ERROR_ZERO_RETURN:
      return Transfer::kClosed;
    default:
      return received_.empty() ? Transfer::kFailed : Transfer::kClosed;
  }
}

void HttpAttempt::Judge(bool closed) {
  const std::optional<int> status = StatusIn(received_);
  if (!status) return Fail(closed ? "EOF" : "the answer's head is too long");
  if (*status == 0) return Fail("malformed HTTP response");
  if (*status >= 200 && *status < 400) return Finish(ProbeResult::kSuccess, "");
  Finish(ProbeResult::kFailure, "HTTP probe failed with statuscode: " + std::to_string(*status));
}

std::string HttpAttempt::DescribeFailure(const std::string& cause) const {
  return "Get \"" + url_ + "\": dial tcp " + Where() + ": " + cause;
}

std::string HttpAttempt::DescribeTimeout() const {
  return "Get \"" + url_ +
         "\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)";
}

}  // namespace updraft::node_agent
