// HTTP/1.1 load for benchmarks: exact counts of requests, a fixed rate, or connections that stay open.
//
//   updraft_bench_load --port PORT --host HOST [--path PATH] --connections N
//     --requests N             one after the other on each connection, N in all
//     --rate R --seconds S     R a second, whatever the answers take: prints "P50_MS P99_MS REQUESTS"
//     --hold [--tls]           one request on each connection, one after the other: prints "answered" and keeps the
//                              connections open until it is killed
//     --queue                  the same, but sends all requests, prints "sent", and only then reads the answers
//
// A latency at a fixed rate counts from when the request was due, not from when a connection was free for it.
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

using SteadyClock = std::chrono::steady_clock;
using TimePoint = SteadyClock::time_point;

struct Options {
  uint16_t port = 0;
  std::string host;
  std::string path = "/100";
  size_t connections = 1;
  size_t requests = 0;
  double rate = 0;
  double seconds = 1;
  bool hold = false;
  bool queue = false;
  bool tls = false;
};

[[noreturn]] void Fail(const char* what) {
  std::fprintf(stderr, "updraft_bench_load: %s\n", what);
  std::exit(1);
}

int Connect(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) Fail("cannot connect");
  return fd;
}

// Reads one answer after the other, all with a Content-Length.
class AnswerReader {
 public:
  // True when the bytes end an answer. Only one request is on its way at a time.
  bool Feed(std::string_view bytes) {
    if (head_.empty() && body_left_ == 0) good_ = bytes.starts_with("HTTP/1.1 200");
    if (body_left_ == 0) {
      head_.append(bytes);
      const size_t end = head_.find("\r\n\r\n");
      if (end == std::string::npos) return false;
      bytes = bytes.substr(bytes.size() - (head_.size() - end - 4));
      body_left_ = Length(std::string_view(head_).substr(0, end));
      head_.clear();
    }
    body_left_ -= std::min(body_left_, bytes.size());
    return body_left_ == 0;
  }
  bool good() const { return good_; }

 private:
  static size_t Length(std::string_view head) {
    for (const std::string_view name : {"Content-Length: ", "content-length: "}) {
      const size_t at = head.find(name);
      if (at == std::string_view::npos) continue;
      size_t length = 0;
      std::from_chars(head.data() + at + name.size(), head.data() + head.size(), length);
      return length;
    }
    return 0;
  }

  std::string head_;
  size_t body_left_ = 0;
  bool good_ = false;
};

// ---- connections that stay

struct Held {
  int fd = -1;
  SSL* ssl = nullptr;  // null: clear text
};

void ReadAnswer(const Held& from) {
  static std::array<char, 65536> buffer;
  AnswerReader reader;
  for (bool done = false; !done;) {
    const ssize_t count = from.ssl != nullptr ? SSL_read(from.ssl, buffer.data(), static_cast<int>(buffer.size()))
                                              : recv(from.fd, buffer.data(), buffer.size(), 0);
    if (count <= 0) Fail("a connection was closed");
    done = reader.Feed({buffer.data(), static_cast<size_t>(count)});
  }
  if (!reader.good()) Fail("an answer other than 200");
}

int Hold(const Options& options, const std::string& request) {
  SSL_CTX* const context = options.tls ? SSL_CTX_new(TLS_client_method()) : nullptr;
  std::vector<Held> held;
  for (size_t i = 0; i < options.connections; ++i) {
    const int fd = Connect(options.port);
    SSL* ssl = nullptr;
    if (options.tls) {
      ssl = SSL_new(context);
      SSL_set_fd(ssl, fd);
      SSL_set_tlsext_host_name(ssl, options.host.c_str());
      if (SSL_connect(ssl) != 1) Fail("no TLS");
      SSL_write(ssl, request.data(), static_cast<int>(request.size()));
    } else if (send(fd, request.data(), request.size(), MSG_NOSIGNAL) < 0) {
      Fail("cannot send");
    }
    held.push_back({fd, ssl});
    if (!options.queue) ReadAnswer(held.back());
  }
  if (options.queue) {
    std::puts("sent");
    std::fflush(stdout);
    for (const Held& one : held) ReadAnswer(one);
  }
  std::puts("answered");
  std::fflush(stdout);
  pause();
  return 0;
}

// ---- load

struct Connection {
  int fd = -1;
  TimePoint due;
  AnswerReader reader;
};

class Generator {
 public:
  Generator(const Options& options, std::string request) : options_(options), request_(std::move(request)) {
    prctl(PR_SET_TIMERSLACK, 1);
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    for (size_t i = 0; i < options.connections; ++i) {
      Connection& connection = *connections_.emplace_back(std::make_unique<Connection>());
      connection.fd = Connect(options.port);
      fcntl(connection.fd, F_SETFL, O_NONBLOCK);
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.ptr = &connection;
      epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.fd, &event);
      idle_.push_back(&connection);
    }
  }

  void Run() {
    const double rate = options_.rate;
    const size_t all = rate > 0 ? static_cast<size_t>(rate * options_.seconds) : options_.requests;
    const TimePoint start = SteadyClock::now();
    size_t due = 0;  // requests that have become so
    while (latencies_.size() < all) {
      const TimePoint now = SteadyClock::now();
      std::optional<std::chrono::nanoseconds> wait;
      for (; due < all; ++due) {
        const TimePoint when = rate > 0 ? start + std::chrono::nanoseconds(static_cast<int64_t>(1e9 / rate * static_cast<double>(due)))
                                        : now;
        if (when > now) {
          wait = when - now;
          break;
        }
        if (rate == 0 && idle_.empty()) break;
        waiting_.push_back(when);
        SendWaiting();
      }
      TakeAnswers(wait);
      SendWaiting();
    }
    std::ranges::sort(latencies_);
    std::printf("%.3f %.3f %zu\n", Quantile(0.5), Quantile(0.99), latencies_.size());
  }

 private:
  void SendWaiting() {
    for (; !waiting_.empty() && !idle_.empty(); waiting_.pop_front()) {
      Connection& connection = *idle_.front();
      idle_.pop_front();
      connection.due = waiting_.front();
      if (send(connection.fd, request_.data(), request_.size(), MSG_NOSIGNAL) < 0) Fail("cannot send");
    }
  }

  void TakeAnswers(std::optional<std::chrono::nanoseconds> wait) {
    std::array<epoll_event, 256> events;
    timespec limit{};
    if (wait) limit.tv_nsec = std::min<int64_t>(wait->count(), 999'999'999);
    const int count = epoll_pwait2(epoll_, events.data(), events.size(), wait ? &limit : nullptr, nullptr);
    for (int i = 0; i < count; ++i) Take(*static_cast<Connection*>(events[static_cast<size_t>(i)].data.ptr));
  }

  void Take(Connection& connection) {
    static std::array<char, 65536> buffer;
    const ssize_t count = recv(connection.fd, buffer.data(), buffer.size(), 0);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) Fail("a connection was closed");
    if (!connection.reader.Feed({buffer.data(), static_cast<size_t>(count)})) return;
    if (!connection.reader.good()) Fail("an answer other than 200");
    latencies_.push_back(std::chrono::duration<double, std::milli>(SteadyClock::now() - connection.due).count());
    idle_.push_back(&connection);
  }

  double Quantile(double fraction) const {
    return latencies_.empty() ? 0 : latencies_[static_cast<size_t>(fraction * static_cast<double>(latencies_.size() - 1))];
  }

  const Options& options_;
  const std::string request_;
  int epoll_ = -1;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::deque<Connection*> idle_;
  std::deque<TimePoint> waiting_;  // when requests that wait for a connection were due
  std::vector<double> latencies_;
};

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("HTTP/1.1 load for benchmarks");
  app.add_option("--port", options.port)->required();
  app.add_option("--host", options.host)->required();
  app.add_option("--path", options.path);
  app.add_option("--connections", options.connections);
  app.add_option("--requests", options.requests);
  app.add_option("--rate", options.rate);
  app.add_option("--seconds", options.seconds);
  app.add_flag("--hold", options.hold);
  app.add_flag("--queue", options.queue);
  app.add_flag("--tls", options.tls);
  CLI11_PARSE(app, argc, argv);
  std::string request = "GET " + options.path + " HTTP/1.1\r\nHost: " + options.host + "\r\n\r\n";
  if (options.hold || options.queue) return Hold(options, request);
  Generator(options, std::move(request)).Run();
  return 0;
}
