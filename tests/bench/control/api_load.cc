// Load on the API, as many clients make it. Prints one figure a line: NAME VALUE.
//
//   updraft_api_load --port N create --first I --count N    Services s<I>..., until each has Ready=True
//   updraft_api_load --port N fan-out --clients N --changes M    a ConfigMap's changes, told to all who watch
//   updraft_api_load --port N list                          all Services, in one piece and in pages of 500
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace {

using Json = nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr char kServices[] = "/apis/serving.knative.dev/v1/namespaces/default/services";
constexpr char kMaps[] = "/api/v1/namespaces/default/configmaps";
constexpr int kConnections = 16;

[[noreturn]] void Die(const std::string& why) {
  std::fprintf(stderr, "api_load: %s\n", why.c_str());
  std::_Exit(1);
}

double Since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// One HTTP/1.1 connection that stays open. Blocking.
class Connection {
 public:
  explicit Connection(int port) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) Die("cannot connect");
    const int on = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  }
  ~Connection() { close(fd_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  int fd() const { return fd_; }

  void Send(const std::string& method, const std::string& target, const std::string& body = "",
            const std::string& type = "application/json") {
    std::string text = method + " " + target + " HTTP/1.1\r\nHost: bench\r\n";
    if (!body.empty()) text += "Content-Type: " + type + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
    text += "\r\n" + body;
    for (size_t sent = 0; sent < text.size();) {
      const ssize_t count = write(fd_, text.data() + sent, text.size() - sent);
      if (count <= 0) Die("the connection broke");
      sent += static_cast<size_t>(count);
    }
  }

  // The head's status, once it is there.
  int ReadHead() {
    while (buffer_.find("\r\n\r\n") == std::string::npos) Fill();
    const size_t end = buffer_.find("\r\n\r\n") + 4;
    head_ = buffer_.substr(0, end);
    buffer_.erase(0, end);
    return std::stoi(head_.substr(9, 3));
  }

  std::string ReadBody() {
    if (head_.find("chunked") == std::string::npos) {
      const size_t at = head_.find("ontent-Length: ");
      if (at == std::string::npos) Die("an answer without a length");
      return Take(std::stoul(head_.substr(at + 15)));
    }
    std::string body;
    for (std::string chunk = ReadChunk(); !chunk.empty(); chunk = ReadChunk()) body += chunk;
    return body;
  }

  // Empty: the end.
  std::string ReadChunk() {
    while (buffer_.find("\r\n") == std::string::npos) Fill();
    const size_t line = buffer_.find("\r\n");
    const size_t size = std::stoul(buffer_.substr(0, line), nullptr, 16);
    buffer_.erase(0, line + 2);
    std::string chunk = Take(size);
    Take(2);
    return chunk;
  }

  // What has come, without a wait for more.
  std::string Drain() {
    Fill();
    return std::exchange(buffer_, {});
  }
  std::string TakeBuffered() { return std::exchange(buffer_, {}); }

 private:
  void Fill() {
    char bytes[65536];
    const ssize_t count = read(fd_, bytes, sizeof(bytes));
    if (count <= 0) Die("the connection ended");
    buffer_.append(bytes, static_cast<size_t>(count));
  }
  std::string Take(size_t size) {
    while (buffer_.size() < size) Fill();
    std::string taken = buffer_.substr(0, size);
    buffer_.erase(0, size);
    return taken;
  }

  const int fd_;
  std::string buffer_;
  std::string head_;
};

std::string Ask(Connection& connection, const std::string& method, const std::string& target,
                const std::string& body = "", const std::string& type = "application/json") {
  connection.Send(method, target, body, type);
  const int status = connection.ReadHead();
  std::string answer = connection.ReadBody();
  if (status >= 300) Die(method + " " + target + ": " + std::to_string(status) + " " + answer.substr(0, 300));
  return answer;
}

std::string ServiceNamed(const std::string& name) {
  return R"({"apiVersion":"serving.knative.dev/v1","kind":"Service","metadata":{"name":")" + name +
         R"("},"spec":{"template":{"spec":{"containers":[{"image":"dev.local/bench","env":[{"name":"A","value":"b"}]}]}}}})";
}

std::string VersionNow(int port, const std::string& path) {
  Connection connection(port);
  return Json::parse(Ask(connection, "GET", path + "?limit=1"))["metadata"]["resourceVersion"];
}

bool IsReady(const Json& object) {
  if (!object.contains("status") || !object["status"].contains("conditions")) return false;
  for (const Json& condition : object["status"]["conditions"]) {
    if (condition["type"] == "Ready") return condition["status"] == "True";
  }
  return false;
}

void Create(int port, int first, int count) {
  Connection watch(port);
  watch.Send("GET", std::string(kServices) + "?watch=true&resourceVersion=" + VersionNow(port, kServices));
  if (watch.ReadHead() != 200) Die("the watch is refused");
  std::atomic<int> next = first;
  const Clock::time_point start = Clock::now();
  std::vector<std::thread> writers;
  for (int i = 0; i < kConnections; ++i) {
    writers.emplace_back([&] {
      Connection connection(port);
      for (int id = next++; id < first + count; id = next++)
        Ask(connection, "POST", kServices, ServiceNamed("s" + std::to_string(id)));
    });
  }
  double created = 0;
  std::thread joiner([&] {
    for (std::thread& writer : writers) writer.join();
    created = Since(start);
  });
  std::set<std::string> ready;
  std::string lines;
  while (ready.size() < static_cast<size_t>(count)) {
    const std::string chunk = watch.ReadChunk();
    if (chunk.empty()) Die("the watch ended");
    lines += chunk;
    size_t begin = 0;
    for (size_t end = lines.find('\n'); end != std::string::npos; end = lines.find('\n', begin)) {
      const Json event = Json::parse(lines.substr(begin, end - begin));
      if (event["type"] == "ERROR") Die(event.dump());
      if (IsReady(event["object"])) ready.insert(event["object"]["metadata"]["name"]);
      begin = end + 1;
    }
    lines.erase(0, begin);
  }
  const double all = Since(start);
  joiner.join();
  std::printf("created_per_second %.0f\nready_per_second %.0f\n", count / created, count / all);
}

void FanOut(int port, int clients, int changes) {
  Connection writer(port);
  Ask(writer, "POST", kMaps, R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"fan"},"data":{"n":"0"}})");
  const std::string version = VersionNow(port, kMaps);
  std::vector<std::unique_ptr<Connection>> watches;
  for (int i = 0; i < clients; ++i) {
    watches.push_back(std::make_unique<Connection>(port));
    watches.back()->Send("GET", std::string(kMaps) + "?watch=true&resourceVersion=" + version);
    if (watches.back()->ReadHead() != 200) Die("a watch is refused");
  }
  const Clock::time_point start = Clock::now();
  std::thread writing([&] {
    for (int i = 1; i <= changes; ++i)
      Ask(writer, "PATCH", std::string(kMaps) + "/fan", R"({"data":{"n":")" + std::to_string(i) + "\"}}",
          "application/merge-patch+json");
  });
  const std::string last = "\"n\":\"" + std::to_string(changes) + "\"";
  std::vector<pollfd> fds;
  std::vector<std::string> tails(watches.size());
  for (const auto& watch : watches) fds.push_back({.fd = watch->fd(), .events = POLLIN, .revents = 0});
  size_t done = 0;
  const auto look = [&](size_t i, const std::string& bytes) {
    tails[i] += bytes;
    if (tails[i].find(last) != std::string::npos) {
      fds[i].fd = -1;
      ++done;
    }
    if (tails[i].size() > last.size()) tails[i].erase(0, tails[i].size() - last.size());
  };
  for (size_t i = 0; i < watches.size(); ++i) look(i, watches[i]->TakeBuffered());
  while (done < watches.size()) {
    poll(fds.data(), fds.size(), -1);
    for (size_t i = 0; i < watches.size(); ++i) {
      if (fds[i].fd >= 0 && fds[i].revents != 0) look(i, watches[i]->Drain());
    }
  }
  const double took = Since(start);
  writing.join();
  Ask(writer, "DELETE", std::string(kMaps) + "/fan");
  std::printf("changes_per_second %.0f\nevents_per_second %.0f\n", changes / took, changes * clients / took);
}

void List(int port) {
  Connection connection(port);
  Clock::time_point start = Clock::now();
  const size_t count = Json::parse(Ask(connection, "GET", kServices))["items"].size();
  std::printf("services %zu\nlist_ms %.0f\n", count, Since(start) * 1000);
  start = Clock::now();
  std::string next;
  do {
    const Json page = Json::parse(
        Ask(connection, "GET", std::string(kServices) + "?limit=500" + (next.empty() ? "" : "&continue=" + next)));
    next = page["metadata"].value("continue", "");
  } while (!next.empty());
  std::printf("pages_ms %.0f\n", Since(start) * 1000);
}

}  // namespace

int main(int argc, char** argv) {
  int port = 0;
  int first = 0;
  int count = 1000;
  int clients = 100;
  int changes = 1000;
  CLI::App app("Load on the API");
  app.add_option("--port", port)->required();
  CLI::App* create = app.add_subcommand("create");
  create->add_option("--first", first);
  create->add_option("--count", count);
  CLI::App* fan_out = app.add_subcommand("fan-out");
  fan_out->add_option("--clients", clients);
  fan_out->add_option("--changes", changes);
  CLI::App* list = app.add_subcommand("list");
  app.require_subcommand(1);
  CLI11_PARSE(app, argc, argv);
  if (*create) Create(port, first, count);
  if (*fan_out) FanOut(port, clients, changes);
  if (*list) List(port);
  return 0;
}
