#include "core/http/server_connections.h"

#include <algorithm>
#include <array>

#include "core/base/log.h"
#include "core/http/address.h"
#include "core/http/http1_connection.h"
#include "core/http/http2_connection.h"
#include "core/http/proxy_protocol.h"

namespace updraft::http {
namespace {

// What is broken or at its end will say nothing that could become a header.
ProxyHeader PeekProxyHeader(Stream& stream) {
  std::array<char, kProxyHeaderBytesMax> bytes;
  const IoResult io = stream.Peek(bytes);
  if (io.state == IoState::kBlocked) return {};
  if (io.state != IoState::kOk) return {.state = ProxyHeader::State::kMalformed};
  return ParseProxyHeader({bytes.data(), io.bytes});
}

Task<void> Misdirected(Exchange& exchange) {
  Headers headers{{"Content-Type", "text/plain; charset=utf-8"}};
  std::string body = "this connection is for another host: try a new one\n";
  (void)co_await exchange.Respond(421, std::move(headers), std::move(body));
}

// The handler, for requests that came on a connection for them.
Handler WithinScope(Handler handler) {
  return [handler = std::move(handler)](Exchange& exchange) {
    return exchange.misdirected() ? Misdirected(exchange) : handler(exchange);
  };
}

}  // namespace

ServerConnections::ServerConnections(Loop& loop, const ServerOptions& options, Handler handler)
    : Timer(loop.timers()),
      context_{loop, options, WithinScope(std::move(handler))},
      scope_(std::make_unique<Scope>()) {}

ServerConnections::~ServerConnections() = default;

void ServerConnections::Begin(UniqueFd socket, std::string peer, ListenOptions how) {
  ++count_;
  ConnectionInfo info{std::move(peer)};
  scope_->Spawn(how.tls == nullptr
                    ? Serve(std::move(socket), std::move(info), how.proxy_protocol)
                    : ServeTls(std::move(socket), std::move(info), how.proxy_protocol, *how.tls));
}

Task<void> ServerConnections::Serve(UniqueFd socket, ConnectionInfo info, bool proxied) {
  {
    Stream stream(context_.loop, std::move(socket), Stream::Socket::kAccepted);
    bool open = true;
    if (proxied) open = co_await ReadProxyHeader(stream, info);
    if (open) {
      Input input(stream);
      info.http2 = co_await ServeHttp1(input, info);
      if (info.http2) co_await ServeHttp2(input, info, kHttp2Head);
    }
  }
  OnEnd();
}

Task<void> ServerConnections::ServeTls(UniqueFd socket, ConnectionInfo info, bool proxied,
                                       TlsContext& tls) {
  {
    TlsStream stream(tls, context_.loop, std::move(socket));
    info.secure = true;
    info.scope = &stream;
    bool open = true;
    if (proxied) open = co_await ReadProxyHeader(stream, info);
    if (open) open = co_await Handshake(stream, info);
    if (open) {
      Input input(stream);
      info.http2 = stream.http2();
      if (info.http2) {
        co_await ServeHttp2(input, info, "");
      } else {
        co_await ServeHttp1(input, info);
      }
    }
  }
  OnEnd();
}

Task<bool> ServerConnections::ReadProxyHeader(Stream& stream, ConnectionInfo& info) {
  const TimePoint deadline = context_.loop.Now() + context_.options.opening_timeout;
  while (true) {
    const WaitEnd wait = co_await stream.Readable(deadline);
    if (wait != WaitEnd::kReady) co_return false;
    const ProxyHeader header = PeekProxyHeader(stream);
    if (header.state == ProxyHeader::State::kComplete) {
      stream.Skip(header.size);
      if (header.source) info.peer = FormatAddress(*header.source);
      co_return true;
    }
    if (header.state == ProxyHeader::State::kMalformed) {
      Log(Level::kDebug, "proxy_header_malformed", {{"peer", info.peer}});
      co_return false;
    }
    if (stream.hung_up()) co_return false;
  }
}

Task<bool> ServerConnections::Handshake(TlsStream& stream, const ConnectionInfo& info) {
  const TimePoint deadline = context_.loop.Now() + context_.options.opening_timeout;
  const Status status = co_await stream.Handshake(deadline);
  if (!status)
    Log(Level::kDebug, "tls_handshake_failed",
        {{"peer", info.peer}, {"error", status.error().message}});
  co_return status.has_value();
}

void ServerConnections::OnEnd() {
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
