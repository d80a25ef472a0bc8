#include "activator/proxy/upload.h"

#include <utility>

#include "core/http/splice.h"

namespace updraft::activator {

using http::Task;

Upload::Upload(http::Exchange& exchange, http::ClientExchange& upstream, TrafficMeter& traffic)
    : exchange_(exchange), upstream_(upstream), traffic_(traffic), done_(exchange.loop()) {}

void Upload::Start() {
  started_ = true;
  running_ = true;
  scope_.Spawn(SendBody());
}

void Upload::StartTunnel(std::function<void()> on_activity) {
  started_ = true;
  running_ = true;
  scope_.Spawn(SendTunnel(std::move(on_activity)));
}

Task<void> Upload::SendBody() {
  bool last = false;
  while (!last) {
    if (http::Splice::Pays(exchange_.raw_body(), upstream_.raw_request())) {
      const bool passed = co_await PassBody();
      if (passed) break;
    }
    const Result<std::string_view> piece = co_await exchange_.ReadView();
    if (!piece) {
      Fail(piece.error());
      break;
    }
    last = !exchange_.body_pending();
    const http::ClientExchange::Part part{
        {}, {}, *piece, last, last ? &exchange_.trailers() : nullptr};
    const Status sent = co_await upstream_.Send(part);
    if (!sent) break;  // the response, if there is one, says why
    traffic_.In(part.body.size());
  }
  running_ = false;
  done_.Notify();
}

// False: it can not, for want of a pipe.
Task<bool> Upload::PassBody() {
  http::Splice splice(exchange_.raw_body(), upstream_.raw_request());
  if (!splice.possible()) co_return false;
  while (splice.left() > 0) {
    const http::Splice::Moved moved = co_await splice.Move();
    exchange_.TakenPast(moved.taken);
    upstream_.SentPast(moved.sent, splice.left() == 0);
    traffic_.In(moved.sent);
    if (moved.end == http::Splice::End::kFromEnded) {
      Fail({Code::kUnavailable, "connection closed before the end of the body"});
    }
    if (moved.end != http::Splice::End::kMoved) break;
  }
  co_return true;
}

Task<void> Upload::SendTunnel(std::function<void()> on_activity) {
  while (true) {
    const Result<std::string_view> piece = co_await exchange_.ReadView();
    if (!piece) {
      Fail(piece.error());
      break;
    }
    if (piece->empty()) {
      upstream_.FinishWriting();
      break;
    }
    on_activity();
    const http::ClientExchange::Part part{{}, {}, *piece, false, nullptr};
    const Status sent = co_await upstream_.Send(part);
    if (!sent) break;
    traffic_.In(part.body.size());
  }
  running_ = false;
  done_.Notify();
}

void Upload::Fail(const Error& error) {
  if (error.code == Code::kCancelled) return;  // we were told to stop
  client_error_ = error;
  upstream_.Interrupt();
}

Task<void> Upload::Stop() {
  upstream_.Interrupt();
  exchange_.Interrupt();
  co_await WaitUntilDone();
  exchange_.Resume();
}

Task<void> Upload::WaitUntilDone() {
  while (running_) co_await done_.Wait();
}

}  // namespace updraft::activator
