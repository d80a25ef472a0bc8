// Twenty activators one after the other, each taking over from the one before it, while clients send
// requests all the time: nobody is refused, nobody's request fails.
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

#include "core/http/acceptor.h"
#include "core/rpc/peer_stream.h"
#include "tests/unit/core/http/raw_client.h"
#include "tests/unit/core/http/test_server.h"
#include "updraft/v1/routing.grpc.pb.h"

namespace updraft {
namespace {

using http::RawClient;

// Tells every activator of one service, whose only instance is at `instance`.
class Controller final : public v1::RoutingService::CallbackService,
                         public rpc::PeerObserver<v1::ActivatorMessage, v1::RoutingUpdate> {
 public:
  Controller(Loop& loop, uint16_t instance) : loop_(loop), instance_(instance) {}

  grpc::ServerBidiReactor<v1::ActivatorMessage, v1::RoutingUpdate>* Watch(grpc::CallbackServerContext*) override {
    return rpc::PeerStream<v1::ActivatorMessage, v1::RoutingUpdate>::Accept(loop_, *this);
  }
  void OnOpened(Stream) override {}
  void OnMessage(const Stream& stream, v1::ActivatorMessage message) override {
    if (!message.has_hello()) return;
    ids.insert(message.hello().activator_id());
    stream->Send(Routes());
  }
  void OnFlushed(const Stream&) override {}
  void OnEnded(const Stream&) override {}

  std::set<std::string> ids;  // on the loop

 private:
  v1::RoutingUpdate Routes() const {
    v1::RoutingUpdate update;
    update.set_full(true);
    update.set_sequence(1);
    update.add_revisions()->set_key("ns/app-1");
    v1::Route& route = *update.add_routes();
    route.set_key("ns/app");
    v1::HostRule& rule = *route.add_hosts();
    rule.set_host("app.test");
    v1::Split& split = *rule.add_splits();
    split.set_revision("ns/app-1");
    split.set_percent(100);
    v1::Endpoints& endpoints = *update.add_endpoints();
    endpoints.set_revision("ns/app-1");
    endpoints.set_known(true);
    v1::Endpoint& endpoint = *endpoints.add_endpoints();
    endpoint.set_instance_id("i-1");
    endpoint.set_ip("127.0.0.1");
    endpoint.set_port(instance_);
    return update;
  }

  Loop& loop_;
  const uint16_t instance_;
};

// Sends back what comes, until the client closes.
http::Task<void> EchoTunnel(http::Exchange& exchange) {
  http::ResponseHead head;
  head.status = 101;
  head.headers.Add("Upgrade", "echo");
  http::Part part{&head, {}, false, nullptr};
  Status sent = co_await exchange.Send(part);
  while (sent && !part.last) {
    const Result<std::string_view> piece = co_await exchange.ReadView();
    if (!piece) co_return;
    const std::string copy(*piece);
    part = {nullptr, copy, copy.empty(), nullptr};
    sent = co_await exchange.Send(part);
  }
}

http::Task<void> Echo(http::Exchange& exchange) {
  if (exchange.upgrade_requested()) {
    co_await EchoTunnel(exchange);
    co_return;
  }
  Result<std::string> body = co_await exchange.ReadBody(1 << 20);
  std::string answer = body ? "got " + *body : "no body";
  http::Headers headers;
  (void)co_await exchange.Respond(200, std::move(headers), std::move(answer));
}

uint16_t FreePort() {
  const UniqueFd chooser = *http::BindListener(*http::ParseAddress("127.0.0.1:0"), http::PortSharing::kShared);
  return http::BoundPort(chooser.get());
}

// What became of requests; safe for concurrent use.
class Account {
 public:
  void Answered() { answered_.fetch_add(1); }
  void Failed(const std::string& how) {
    const std::lock_guard lock(mutex_);
    ++failures_[how];
  }
  int answered() const { return answered_.load(); }
  std::map<std::string, int> failures() {
    const std::lock_guard lock(mutex_);
    return failures_;
  }

 private:
  std::atomic<int> answered_{0};
  std::mutex mutex_;
  std::map<std::string, int> failures_;
};

class HandoverTest : public testing::Test {
 protected:
  HandoverTest() {
    char folder[] = "/tmp/updraft-handover-XXXXXX";
    folder_ = mkdtemp(folder);
    grpc::ServerBuilder builder;
    builder.AddListeningPort("unix:" + folder_ + "/controller.sock", grpc::InsecureServerCredentials());
    builder.RegisterService(&controller_);
    server_ = builder.BuildAndStart();
  }
  ~HandoverTest() override {
    for (const pid_t pid : running_) kill(pid, SIGKILL);
    for (const pid_t pid : running_) waitpid(pid, nullptr, 0);
    server_->Shutdown(std::chrono::system_clock::now());
    controller_thread_.Stop();  // before the controller goes, which it tells of its streams' ends
    std::filesystem::remove_all(folder_);
  }

  pid_t Start(int workers, int drain_seconds = 20) {
    const std::vector<std::string> argv = {UPDRAFT_ACTIVATOR,
                                           "--controller", "unix:" + folder_ + "/controller.sock",
                                           "--autoscaler", "unix:" + folder_ + "/nobody.sock",
                                           "--http-address", "127.0.0.1:" + std::to_string(port_),
                                           "--inside-address", "127.0.0.1:" + std::to_string(inside_port_),
                                           "--metrics-address", "127.0.0.1:" + std::to_string(metrics_port_),
                                           "--handover-socket", folder_ + "/handover.sock",
                                           "--workers", std::to_string(workers),
                                           "--id", "a",
                                           "--drain-seconds", std::to_string(drain_seconds),
                                           "--log-level", "warn"};
    std::vector<char*> pointers;
    for (const std::string& argument : argv) pointers.push_back(const_cast<char*>(argument.c_str()));
    pointers.push_back(nullptr);
    pid_t pid = 0;
    EXPECT_EQ(posix_spawn(&pid, UPDRAFT_ACTIVATOR, nullptr, nullptr, pointers.data(), environ), 0);
    running_.insert(pid);
    return pid;
  }
  // The exit code, when it has ended by itself.
  int WaitForEnd(pid_t pid) {
    int status = 0;
    waitpid(pid, &status, 0);
    running_.erase(pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  // The one that listens at the hand-over's path is the one that has taken over last.
  bool HasTakenOver(pid_t pid) const {
    const UniqueFd connection(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    const http::SocketAddress address = *http::ParseAddress("unix:" + folder_ + "/handover.sock");
    if (connect(connection.get(), &address.any, address.size) != 0) return false;
    ucred peer{};
    socklen_t size = sizeof peer;
    return getsockopt(connection.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.pid == pid;
  }
  bool Answers(uint16_t port, const std::string& request) const {
    RawClient client(port);
    return client.connected() && client.Send(request) && client.ReadResponse().starts_with("HTTP/1.1 200 ");
  }

  // One request after the other until `stop`: over one connection as long as it lasts, or each over
  // one of its own.
  void Load(uint16_t port, bool keep_alive, const std::atomic<bool>& stop, Account& account) const {
    std::optional<RawClient> client;
    for (int i = 0; !stop; ++i) {
      if (!client) client.emplace(port);
      if (!client->connected()) {
        account.Failed("refused");
        client.reset();
        continue;
      }
      const std::string body = std::to_string(i);
      client->Send("POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
                   body);
      const std::string response = client->ReadResponse();
      if (response.starts_with("HTTP/1.1 200 ") && http::BodyOf(response) == "got " + body) {
        account.Answered();
      } else {
        account.Failed(response.empty() ? "closed" : response);
        client.reset();
        continue;
      }
      if (!keep_alive || response.find("\r\nConnection: close\r\n") != std::string::npos) client.reset();
    }
  }

  std::string folder_;
  http::TestServer instance_{Echo};
  LoopThread controller_thread_{"controller"};
  Controller controller_{controller_thread_.loop(), instance_.port()};
  std::unique_ptr<grpc::Server> server_;
  const uint16_t port_ = FreePort();
  const uint16_t inside_port_ = FreePort();
  const uint16_t metrics_port_ = FreePort();
  std::set<pid_t> running_;
};

constexpr const char* kGet = "GET / HTTP/1.1\r\nHost: app.test\r\n\r\n";

TEST_F(HandoverTest, AHundredTimesUnderLoadNobodyIsRefusedAndNothingFails) {
  pid_t serving = Start(2);
  while (!Answers(port_, kGet) || !Answers(inside_port_, kGet)) {
  }
  std::atomic<bool> stop{false};
  Account account;
  std::vector<std::thread> clients;
  for (int i = 0; i < 4; ++i)
    clients.emplace_back([&, i] { Load(i == 3 ? inside_port_ : port_, i > 0, stop, account); });
  std::map<int, int> exit_codes;
  for (int i = 0; i < 100; ++i) {
    const pid_t next = Start(1 + i % 4);
    ++exit_codes[WaitForEnd(serving)];  // it ends when it has been relieved, and finished
    serving = next;
    if (!account.failures().empty()) break;
  }
  EXPECT_TRUE(Answers(metrics_port_, "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n"));
  stop = true;
  for (std::thread& client : clients) client.join();
  for (const auto& [how, count] : account.failures()) ADD_FAILURE() << count << " requests failed: " << how;
  EXPECT_EQ(exit_codes, (std::map<int, int>{{0, 100}}));
  EXPECT_GT(account.answered(), 5'000);
  RecordProperty("answered", account.answered());
  http::RunOn(controller_thread_.loop(), [this] { EXPECT_EQ(controller_.ids.size(), 101u) << "each has a name"; });
  kill(serving, SIGTERM);
  EXPECT_EQ(WaitForEnd(serving), 0);
}

TEST_F(HandoverTest, ATunnelGoesOnInItsActivatorUntilTheDeadline) {
  const pid_t serving = Start(2, /*drain_seconds=*/3);
  while (!Answers(port_, kGet)) {
  }
  RawClient tunnel(port_);
  tunnel.Send("GET / HTTP/1.1\r\nHost: app.test\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
  EXPECT_TRUE(tunnel.ReadUntil("\r\n\r\n").starts_with("HTTP/1.1 101 "));
  const pid_t next = Start(2);
  while (!HasTakenOver(next)) {
  }
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(Answers(port_, kGet));
    tunnel.Send("ping");
    EXPECT_EQ(tunnel.ReadExactly(4), "ping");
  }
  EXPECT_EQ(waitpid(serving, nullptr, WNOHANG), 0) << "it still has the tunnel";
  EXPECT_EQ(tunnel.ReadAll(), "") << "cut at the deadline";
  EXPECT_EQ(WaitForEnd(serving), 0);
  EXPECT_TRUE(Answers(port_, kGet));
}

TEST_F(HandoverTest, ASuccessorThatDiesBeforeItServesCostsNothing) {
  const pid_t serving = Start(2);
  while (!Answers(port_, kGet)) {
  }
  server_->Shutdown(std::chrono::system_clock::now());  // it will hear of no routes
  const pid_t next = Start(2);
  kill(next, SIGKILL);
  EXPECT_EQ(WaitForEnd(next), -1);
  EXPECT_TRUE(Answers(port_, kGet));
  EXPECT_EQ(waitpid(serving, nullptr, WNOHANG), 0) << "it serves on";
}

}  // namespace
}  // namespace updraft
