// An HTTP/2 client for tests: asks, waits, and tells what came.
#pragma once

#include <future>
#include <memory>
#include <string>
#include <vector>

#include "core/http/http2_client.h"
#include "tests/unit/core/http/test_server.h"

namespace updraft::http {

// What a request of the test's client came to.
struct Answered {
  std::vector<int> interim;
  int status = 0;
  Headers headers;
  std::string body;
  Headers trailers;
  std::string error;
  bool not_received = false;
};

struct Asked {
  std::string method = "GET";
  std::string path = "/";
  std::vector<Header> fields = {};
  std::vector<std::string> body = {};  // in pieces; none: no body
  const Headers* trailers = nullptr;
};

inline Task<Status> SendAll(ClientExchange& exchange, const Asked& asked) {
  std::vector<Header> fields = {
      {":method", asked.method}, {":scheme", "http"}, {":authority", "app.test"}, {":path", asked.path}};
  fields.insert(fields.end(), asked.fields.begin(), asked.fields.end());
  const bool whole = asked.body.empty();
  const ClientExchange::Part head{{}, fields, {}, whole, nullptr};
  Status sent = co_await exchange.Send(head);
  for (size_t i = 0; sent && i < asked.body.size(); ++i) {
    const bool last = i + 1 == asked.body.size();
    const ClientExchange::Part part{{}, {}, asked.body[i], last, last ? asked.trailers : nullptr};
    sent = co_await exchange.Send(part);
  }
  co_return sent;
}

inline Task<Status> ReadAll(ClientExchange& exchange, Answered& answered) {
  do {
    const Status read = co_await exchange.ReadHead();
    if (!read) co_return read;
    if (exchange.head().status < 200) answered.interim.push_back(exchange.head().status);
  } while (exchange.head().status < 200);
  answered.status = exchange.head().status;
  answered.headers = exchange.head().headers;
  while (true) {
    const Result<std::string_view> piece = co_await exchange.ReadBody();
    if (!piece) co_return piece.error();
    if (piece->empty()) break;
    answered.body.append(*piece);
  }
  answered.trailers = exchange.trailers();
  co_return Ok();
}

// A connection to a port on loopback. Lives on a loop that runs elsewhere.
class Http2Asker {
 public:
  Http2Asker(Loop& loop, uint16_t port) : loop_(loop) {
    RunOn(loop_, [&] {
      const SocketAddress address = *ParseAddress("127.0.0.1:" + std::to_string(port));
      connection_ = *Http2ClientConnection::Start(loop_, address, Seconds(5));
    });
  }
  ~Http2Asker() {
    RunOn(loop_, [&] { connection_.reset(); });
  }

  std::vector<Answered> AskAll(std::vector<Asked> all) {
    std::vector<Answered> answers(all.size());
    std::promise<void> done;
    size_t left = all.size();
    RunOn(loop_, [&] {
      for (size_t i = 0; i < all.size(); ++i) Spawn(Run(all[i], answers[i], left, done));
    });
    done.get_future().wait();
    return answers;
  }
  Answered Ask(Asked one) { return AskAll(std::vector{std::move(one)})[0]; }

  Loop& loop() { return loop_; }
  std::shared_ptr<Http2ClientConnection> connection() { return connection_; }  // on the loop only

 private:
  Task<void> Run(const Asked& asked, Answered& answered, size_t& left, std::promise<void>& done) {
    {
      Http2ClientExchange exchange(connection_);
      Status status = co_await exchange.Connected();
      if (status) {
        exchange.Begin(asked.method, BodyFraming::kLength, TimePoint::max());
        status = co_await SendAll(exchange, asked);
      }
      if (status) status = co_await ReadAll(exchange, answered);
      if (!status) answered.error = status.error().message;
      answered.not_received = exchange.not_received();
    }
    if (--left == 0) done.set_value();
  }

  Loop& loop_;
  std::shared_ptr<Http2ClientConnection> connection_;
};

}  // namespace updraft::http
