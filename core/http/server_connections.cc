#include "core/http/server_connections.h"

#include <algorithm>

#include "core/http/http1_connection.h"
#include "core/http/http2_connection.h"

namespace updraft::http {

ServerConnections::ServerConnections(Loop& loop, const ServerOptions& options, Handler handler)
    : Timer(loop.timers()),
      context_{loop, options, std::move(handler)},
      scope_(std::make_unique<Scope>()) {}

ServerConnections::~ServerConnections() = default;

void ServerConnections::OnConnection(UniqueFd socket, std::string peer) {
  ++count_;
  scope_->Spawn(Serve(std::move(socket), std::move(peer)));
}

bool ServerConnections::WantsConnections() const {
  return count_ < context_.options.connections_max;
}

Task<void> ServerConnections::Serve(UniqueFd socket, std::string peer) {
  {
    const ConnectionInfo info{std::move(peer)};
    Stream stream(context_.loop, std::move(socket));
    Input input(stream);
    const bool http2 = co_await ServeHttp1(input, info);
    if (http2) co_await ServeHttp2(input, info, kHttp2Head);
  }
  --count_;
  if (context_.draining && count_ == 0) context_.loop.Defer(this);
}

Task<bool> ServerConnections::ServeHttp1(Input& input, const ConnectionInfo& info) {
  Http1Connection connection(context_, input, info);
  connection.AppendTo(open_);
  const Http1Connection::End end = co_await connection.Serve();
  co_return end == Http1Connection::End::kHttp2;
}

Task<void> ServerConnections::ServeHttp2(Input& input, const ConnectionInfo& info,
                                         std::string_view preface) {
  Http2Connection connection(context_, input, info);
  connection.AppendTo(open_);
  co_await connection.Serve(preface);
}

void ServerConnections::Drain(TimePoint deadline, std::function<void()> done) {
  context_.draining = true;
  drained_ = std::move(done);
  drain_deadline_ = deadline;
  for (updraft::RingLink* link = open_.next; link != &open_; link = link->next)
    static_cast<ServerConnection*>(link)->Drain();
  const Nanos idle_time = context_.options.drain_idle_time;
  if (idle_time == Nanos(0)) {
    CloseIdle();
  } else {
    Set(std::min(deadline, context_.loop.Now() + idle_time));
  }
  if (count_ == 0) context_.loop.Defer(this);
}

void ServerConnections::CloseIdle() {
  context_.closing = true;
  for (updraft::RingLink* link = open_.next; link != &open_; link = link->next)
    static_cast<ServerConnection*>(link)->CloseIdle();
  Set(drain_deadline_);
}

void ServerConnections::OnTimer() {
  if (!context_.closing) return CloseIdle();
  scope_ = std::make_unique<Scope>();
  count_ = 0;
  context_.loop.Defer(this);
}

void ServerConnections::Run() {
  Cancel();
  if (const auto drained = std::exchange(drained_, nullptr)) drained();
}

}  // namespace updraft::http
