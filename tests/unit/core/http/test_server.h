// A server with a loop and thread of its own, for tests.
#pragma once

#include <future>
#include <memory>

#include "core/base/loop.h"
#include "core/http/server.h"

namespace updraft::http {

// Runs `work` on the loop and waits for it.
template <typename Work>
void RunOn(Loop& loop, Work work) {
  std::promise<void> done;
  loop.Post([&work, &done] {
    work();
    done.set_value();
  });
  done.get_future().wait();
}

class TestServer {
 public:
  explicit TestServer(Handler handler, ServerOptions options = {},
                      const std::string& address = "127.0.0.1:0", ListenOptions how = {})
      : thread_("test-server") {
    RunOn(thread_.loop(), [this, &handler, &options, &address, how] {
      server_ = std::make_unique<Server>(thread_.loop(), options, std::move(handler));
      const Result<uint16_t> port = server_->Listen(address, how);
      if (port) port_ = *port;
    });
  }
  ~TestServer() {
    RunOn(thread_.loop(), [this] { server_.reset(); });
    thread_.Stop();
  }

  uint16_t port() const { return port_; }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  Loop& loop() { return thread_.loop(); }
  Server& server() { return *server_; }  // on the loop only

 private:
  LoopThread thread_;
  std::unique_ptr<Server> server_;
  uint16_t port_ = 0;
};

}  // namespace updraft::http
