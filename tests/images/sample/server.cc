// A small HTTP server for tests and examples: a user's program, with switches for everything that such a
// program may do to a platform. One file, no library, linked statically, so that its image needs nothing.
//
// Environment:
//   PORT              where it listens (8080)
//   MESSAGE           what GET / answers ("Hello from Updraft!")
//   START_DELAY_MS    wait before listening
//   LATENCY_MS        wait before each answer
//   WRITE_FILE        write MESSAGE to this file first of all
//   EXIT_AT_START     end with this code before listening, after saying EXIT_MESSAGE
//   EXIT_AFTER_MS     end with code 7 this long after the start
//   READY_AFTER_MS    /ready answers 503 until then
//   STOP_DELAY_MS     wait after SIGTERM before ending; -1: ignore SIGTERM
// Every answer says in X-In-Flight how many requests there were at once when it was asked for, itself included.
// Paths (query parameters in brackets):
//   /                 MESSAGE           [sleep=ms, status=code, bytes=n]
//   /echo             the request's body
//   /headers          the request as it arrived
//   /env              the environment
//   /stats            {"instance", "requests", "in_flight", "in_flight_max", "ids_seen_twice"}; ids are header X-Id
//   /memory           takes [mb=n] of memory, touches it, answers
//   /stream           [n=chunks, every=ms]: that many lines, chunked
//   /ready /live      200; /live?fail makes every later /live a 500
//   /exit             ends the process at once with [code=n]
//   /log              writes [lines=n] to standard output
//   /file/PATH        the content of a file
//   /write/PATH       writes it: MESSAGE, or [bytes=n] of them; answers "written", or why not
//   /fetch/HOST:PORT/PATH  what another server answers, asked by name or by address
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <mutex>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

std::atomic<int> requests{0}, in_flight{0}, in_flight_max{0}, ids_seen_twice{0};
std::atomic<bool> live{true};
std::mutex ids_mutex;
std::set<std::string> ids;
const auto start = std::chrono::steady_clock::now();

std::string Env(const char* name, const char* otherwise) {
  const char* value = getenv(name);
  return value != nullptr ? value : otherwise;
}
int EnvInt(const char* name, int otherwise) { return std::atoi(Env(name, std::to_string(otherwise).c_str()).c_str()); }

void Wait(int millis) {
  if (millis > 0) poll(nullptr, 0, millis);
}

int64_t MillisSinceStart() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start).count();
}

std::string WriteFile(const std::string& path, int bytes) {
  std::ofstream file(path);
  if (!file) return std::string("not written: ") + std::strerror(errno) + "\n";
  if (bytes == 0) file << Env("MESSAGE", "") << "\n";
  const std::string block(65536, 'x');
  for (int left = bytes; left > 0 && file; left -= static_cast<int>(block.size()))
    file.write(block.data(), std::min<std::streamsize>(left, static_cast<std::streamsize>(block.size())));
  file.close();
  return file ? "written\n" : std::string("not written: ") + std::strerror(errno) + "\n";
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// The address of a host, asked of the first name server: a program without libraries has no resolver. 0: there is none.
in_addr_t Resolve(const std::string& host) {
  in_addr address{};
  if (inet_pton(AF_INET, host.c_str(), &address) == 1) return address.s_addr;
  std::istringstream conf(ReadFile("/etc/resolv.conf"));
  std::string key, value;
  while (conf >> key >> value && key != "nameserver") conf.ignore(4096, '\n');
  sockaddr_in server{};
  server.sin_family = AF_INET;
  server.sin_port = htons(53);
  if (inet_pton(AF_INET, value.c_str(), &server.sin_addr) != 1) return 0;
  std::string query("\x12\x34\x01\0\0\x01\0\0\0\0\0\0", 12);
  for (size_t at = 0; at < host.size();) {
    const size_t end = std::min(host.find('.', at), host.size());
    query += static_cast<char>(end - at) + host.substr(at, end - at);
    at = end + 1;
  }
  query += std::string("\0\0\x01\0\x01", 5);
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sendto(fd, query.data(), query.size(), 0, reinterpret_cast<sockaddr*>(&server), sizeof server);
  pollfd ready{fd, POLLIN, 0};
  char answer[512];
  const ssize_t size = poll(&ready, 1, 2000) == 1 ? recv(fd, answer, sizeof answer, 0) : 0;
  close(fd);
  // The one record of an answer that has one is at its end.
  if (size < static_cast<ssize_t>(query.size()) + 16 || answer[7] != 1) return 0;
  memcpy(&address.s_addr, answer + size - 4, 4);
  return address.s_addr;
}

// What a GET of "HOST:PORT/PATH" gives, head and body.
std::string Fetch(const std::string& where) {
  const size_t colon = where.find(':');
  const size_t slash = std::min(where.find('/'), where.size());
  const std::string host = where.substr(0, std::min(colon, slash));
  sockaddr_in server{};
  server.sin_family = AF_INET;
  server.sin_port = htons(static_cast<uint16_t>(colon < slash ? std::atoi(where.c_str() + colon + 1) : 80));
  server.sin_addr.s_addr = Resolve(host);
  if (server.sin_addr.s_addr == 0) return "no address for " + host + "\n";
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval limit{5, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  std::string answer;
  const std::string request = "GET /" + where.substr(std::min(slash + 1, where.size())) +
                              " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n";
  if (connect(fd, reinterpret_cast<sockaddr*>(&server), sizeof server) != 0) {
    answer = "cannot connect to " + host + "\n";
  } else if (send(fd, request.data(), request.size(), MSG_NOSIGNAL) > 0) {
    char chunk[4096];
    for (ssize_t n; (n = recv(fd, chunk, sizeof chunk, 0)) > 0;) answer.append(chunk, static_cast<size_t>(n));
  }
  close(fd);
  return answer;
}

struct Request {
  std::string head, method, path, query, body;
  bool keep_alive = true;

  std::string Header(const std::string& name) const {
    std::string lower(head);
    std::ranges::transform(lower, lower.begin(), [](char c) { return static_cast<char>(tolower(c)); });
    const size_t at = lower.find("\r\n" + name + ":");
    if (at == std::string::npos) return "";
    const size_t begin = head.find_first_not_of(' ', at + name.size() + 3);
    return head.substr(begin, head.find("\r\n", begin) - begin);
  }
  int Parameter(const std::string& name, int otherwise) const {
    const size_t at = ("&" + query).find("&" + name + "=");
    return at == std::string::npos ? otherwise : std::atoi(query.c_str() + at + name.size() + 1);
  }
  bool Has(const std::string& name) const { return query.find(name) != std::string::npos; }
};

class Connection {
 public:
  explicit Connection(int fd) : fd_(fd) {}
  ~Connection() { close(fd_); }

  void Serve() {
    Request request;
    while (ReadRequest(request)) {
      Answer(request);
      if (!request.keep_alive) return;
    }
  }

 private:
  bool Fill() {
    char chunk[16384];
    const ssize_t n = recv(fd_, chunk, sizeof chunk, 0);
    if (n > 0) buffer_.append(chunk, static_cast<size_t>(n));
    return n > 0;
  }

  bool ReadRequest(Request& request) {
    size_t end = 0;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
      if (!Fill()) return false;
    }
    request = Request();
    request.head = buffer_.substr(0, end + 2);
    buffer_.erase(0, end + 4);
    const std::string line = request.head.substr(0, request.head.find("\r\n"));
    request.method = line.substr(0, line.find(' '));
    const size_t target_begin = request.method.size() + 1;
    const std::string target = line.substr(target_begin, line.find(' ', target_begin) - target_begin);
    request.path = target.substr(0, target.find('?'));
    if (target.size() > request.path.size()) request.query = target.substr(request.path.size() + 1);
    request.keep_alive = request.Header("connection") != "close" && line.ends_with("1.1");
    if (request.Header("expect") == "100-continue") Send("HTTP/1.1 100 Continue\r\n\r\n");
    return request.Header("transfer-encoding") == "chunked" ? ReadChunks(request) : ReadCounted(request);
  }

  bool ReadCounted(Request& request) {
    const size_t length = std::strtoul(request.Header("content-length").c_str(), nullptr, 10);
    while (buffer_.size() < length) {
      if (!Fill()) return false;
    }
    request.body = buffer_.substr(0, length);
    buffer_.erase(0, length);
    return true;
  }

  bool ReadChunks(Request& request) {
    while (true) {
      size_t line = 0;
      while ((line = buffer_.find("\r\n")) == std::string::npos) {
        if (!Fill()) return false;
      }
      const size_t size = std::strtoul(buffer_.c_str(), nullptr, 16);
      while (buffer_.size() < line + 2 + size + 2) {
        if (!Fill()) return false;
      }
      request.body += buffer_.substr(line + 2, size);
      buffer_.erase(0, line + 2 + size + 2);
      if (size == 0) return true;
    }
  }

  bool Send(std::string_view data) {
    while (!data.empty()) {
      const ssize_t n = send(fd_, data.data(), data.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      data.remove_prefix(static_cast<size_t>(n));
    }
    return true;
  }

  void Reply(const Request& request, int status, const std::string& body) {
    std::string text = "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Type: text/plain\r\nContent-Length: " +
                       std::to_string(body.size()) + "\r\nX-Instance: " + Env("HOSTNAME", "") +
                       "\r\nX-In-Flight: " + std::to_string(in_flight_at_start_) + "\r\n\r\n";
    if (request.method != "HEAD") text += body;
    Leave();
    Send(text);
  }

  void Answer(const Request& request) {
    const bool counted = request.path != "/stats" && request.path != "/ready" && request.path != "/live";
    if (counted) in_flight_at_start_ = Enter(request);
    entered_ = counted;
    Wait(counted ? request.Parameter("sleep", EnvInt("LATENCY_MS", 0)) : 0);
    Dispatch(request);
    Leave();
  }

  // Before the last byte of the answer: whoever has it may send the next request at once.
  void Leave() {
    if (entered_) --in_flight;
    entered_ = false;
  }

  // How many there are now.
  static int Enter(const Request& request) {
    ++requests;
    const int now = ++in_flight;
    int most = in_flight_max;
    while (now > most && !in_flight_max.compare_exchange_weak(most, now)) {
    }
    const std::string id = request.Header("x-id");
    if (id.empty()) return now;
    const std::lock_guard lock(ids_mutex);
    if (!ids.insert(id).second) ++ids_seen_twice;
    return now;
  }

  void Dispatch(const Request& request) {
    const std::string& path = request.path;
    if (path == "/echo") return Reply(request, 200, request.body);
    if (path == "/headers") return Reply(request, 200, request.head);
    if (path == "/env") return Reply(request, 200, AllEnvironment());
    if (path == "/stats") return Reply(request, 200, Stats());
    if (path.starts_with("/file/")) return Reply(request, 200, ReadFile(path.substr(5)));
    if (path.starts_with("/write/")) return Reply(request, 200, WriteFile(path.substr(6), request.Parameter("bytes", 0)));
    if (path.starts_with("/fetch/")) return Reply(request, 200, Fetch(path.substr(7)));
    if (path == "/memory") return Reply(request, 200, TakeMemory(request.Parameter("mb", 1)));
    if (path == "/stream") return Stream(request.Parameter("n", 10), request.Parameter("every", 0));
    if (path == "/ready") return Reply(request, MillisSinceStart() >= EnvInt("READY_AFTER_MS", 0) ? 200 : 503, "");
    if (path == "/live") {
      if (request.Has("fail")) live = false;
      return Reply(request, live || request.Has("fail") ? 200 : 500, "");
    }
    if (path == "/exit") _exit(request.Parameter("code", 0));
    if (path == "/log") {
      for (int i = 0; i < request.Parameter("lines", 1); ++i) std::printf("line %d\n", i);
      std::fflush(stdout);
    }
    std::string body = Env("MESSAGE", "Hello from Updraft!") + "\n";
    if (const int bytes = request.Parameter("bytes", 0); bytes > 0) body.assign(static_cast<size_t>(bytes), 'x');
    Reply(request, request.Parameter("status", 200), body);
  }

  void Stream(int count, int every) {
    if (!Send("HTTP/1.1 200 X\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n")) return;
    for (int i = 0; i < count; ++i) {
      const std::string line = "chunk " + std::to_string(i) + "\n";
      char size[16];
      std::snprintf(size, sizeof size, "%zx\r\n", line.size());
      if (!Send(size + line + "\r\n")) return;
      Wait(every);
    }
    Leave();
    Send("0\r\n\r\n");
  }

  static std::string AllEnvironment() {
    std::string text;
    for (char** entry = environ; *entry != nullptr; ++entry) text += std::string(*entry) + "\n";
    return text;
  }

  static std::string Stats() {
    char text[256];
    std::snprintf(text, sizeof text,
                  R"({"instance":"%s","requests":%d,"in_flight":%d,"in_flight_max":%d,"ids_seen_twice":%d})" "\n",
                  Env("HOSTNAME", "").c_str(), requests.load(), in_flight.load(), in_flight_max.load(),
                  ids_seen_twice.load());
    return text;
  }

  static std::string TakeMemory(int megabytes) {
    std::vector<char> block(static_cast<size_t>(megabytes) << 20);
    for (size_t i = 0; i < block.size(); i += 4096) block[i] = 1;
    return std::to_string(megabytes) + " MB taken\n";
  }

  const int fd_;
  int in_flight_at_start_ = 0;
  bool entered_ = false;
  std::string buffer_;
};

void OnTerminate(int) {
  // Waiting in the handler stops the accepting thread, as a server that drains would.
  const int delay = EnvInt("STOP_DELAY_MS", 0);
  if (delay < 0) return;
  Wait(delay);
  _exit(0);
}

}  // namespace

int main() {
  signal(SIGTERM, OnTerminate);
  if (const char* path = getenv("WRITE_FILE")) std::ofstream(path) << Env("MESSAGE", "") << "\n";
  if (const char* code = getenv("EXIT_AT_START")) {
    std::fprintf(stderr, "%s\n", Env("EXIT_MESSAGE", "fatal: cannot start").c_str());
    return std::atoi(code);
  }
  Wait(EnvInt("START_DELAY_MS", 0));
  if (const int after = EnvInt("EXIT_AFTER_MS", 0); after > 0) {
    std::thread([after] {
      Wait(after);
      _exit(7);
    }).detach();
  }
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(EnvInt("PORT", 8080)));
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || listen(listener, 4096) != 0) {
    std::perror("listen");
    return 1;
  }
  std::printf("listening on %d\n", EnvInt("PORT", 8080));
  std::fflush(stdout);
  while (true) {
    const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    std::thread([fd] { Connection(fd).Serve(); }).detach();
  }
}
