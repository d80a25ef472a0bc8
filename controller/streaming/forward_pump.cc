#include "controller/streaming/forward_pump.h"

#include <charconv>
#include <deque>
#include <map>
#include <memory>
#include <utility>

#include "controller/streaming/spdy_session.h"

namespace updraft::controller {

const std::vector<std::string_view> kForwardOverSpdy = {"portforward.k8s.io"};
const std::vector<std::string_view> kForwardOverWebSocket = {"SPDY/3.1+portforward.k8s.io"};

namespace {

constexpr size_t kForwardsMax = 256;
// Of one connection, while the instance does not take it. Beyond it the client is not read: its
// transport knows no other way to hold up a stream.
constexpr size_t kWaitingBytesMax = 256 << 10;

// One connection.
struct Forward {
  explicit Forward(Loop& loop) : changed(loop), room(loop), up_ended(loop) {}

  uint32_t error_stream = 0;
  uint32_t data_stream = 0;
  uint16_t port = 0;
  std::unique_ptr<PortConnection> connection;
  std::deque<std::string> waiting;  // from the client to the instance
  size_t waiting_bytes = 0;
  bool input_ended = false;
  bool up_over = false;
  bool over = false;
  http::Signal changed;  // there is more waiting, or the end
  http::Signal room;     // there is less
  http::Signal up_ended;
};

std::string HeaderOf(const SpdyEvent& event, std::string_view name) {
  for (const auto& [key, value] : event.headers) {
    if (key == name) return value;
  }
  return "";
}

uint16_t PortOf(const SpdyEvent& event) {
  const std::string text = HeaderOf(event, "port");
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() ? port : uint16_t{0};
}

class Forwards {
 public:
  Forwards(Carrier& carrier, SessionSource& source, std::string ns, std::string pod)
      : carrier_(carrier),
        session_(carrier),
        source_(source),
        ns_(std::move(ns)),
        pod_(std::move(pod)),
        ended_(carrier.loop()) {}

  // Until the client is gone and nothing of it is left.
  http::Task<void> Run() {
    while (true) {
      http::Task<Result<SpdyEvent>> reading = session_.Next();
      Result<SpdyEvent> event = co_await reading;
      if (!event) break;
      if (event->kind == SpdyEvent::Kind::kOpen) {
        OnOpen(*event);
        continue;
      }
      http::Task<void> taking = OnData(*std::move(event));
      co_await taking;
    }
    for (const auto& [request, forward] : forwards_) {
      EndInput(*forward);
      if (forward->connection) forward->connection->Cancel();
    }
    carrier_.Cut();
    while (running_ > 0) {
      http::Task<void> waiting = ended_.Wait();
      co_await waiting;
    }
  }

 private:
  void OnOpen(const SpdyEvent& event) {
    const std::string request = HeaderOf(event, "requestid");
    const std::string type = HeaderOf(event, "streamtype");
    const uint16_t port = PortOf(event);
    auto it = forwards_.find(request);
    const bool known = it != forwards_.end();
    if (request.empty() || port == 0 || (type != "data" && type != "error") ||
        (!known && forwards_.size() >= kForwardsMax)) {
      return session_.Refuse(event.stream);
    }
    if (!known) it = forwards_.emplace(request, std::make_shared<Forward>(carrier_.loop())).first;
    const std::shared_ptr<Forward>& forward = it->second;
    uint32_t& stream = type == "data" ? forward->data_stream : forward->error_stream;
    if (stream != 0) return session_.Refuse(event.stream);
    stream = event.stream;
    forward->port = port;
    session_.Accept(event.stream);
    if (forward->data_stream == 0 || forward->error_stream == 0) return;
    ++running_;
    scope_.Spawn(Serve(this, request, forward));
  }

  http::Task<void> OnData(SpdyEvent event) {
    const std::shared_ptr<Forward> forward = Find(event.stream);
    if (!forward) co_return;
    if (!event.data.empty() && !forward->input_ended) {
      forward->waiting_bytes += event.data.size();
      forward->waiting.push_back(std::move(event.data));
      forward->changed.Notify();
    }
    if (event.last || event.kind == SpdyEvent::Kind::kReset) EndInput(*forward);
    if (event.kind == SpdyEvent::Kind::kReset && forward->connection) forward->connection->Cancel();
    while (forward->waiting_bytes > kWaitingBytesMax && !forward->up_over && !forward->over) {
      http::Task<void> waiting = forward->room.Wait();
      co_await waiting;
    }
  }

  std::shared_ptr<Forward> Find(uint32_t data_stream) const {
    for (const auto& [request, forward] : forwards_) {
      if (forward->data_stream == data_stream) return forward;
    }
    return nullptr;
  }

  static void EndInput(Forward& forward) {
    forward.input_ended = true;
    forward.changed.Notify();
  }

  static http::Task<void> Serve(Forwards* self, std::string request,
                                std::shared_ptr<Forward> forward) {
    http::Task<Status> connecting = self->Connect(forward.get());
    Status outcome = co_await connecting;
    if (outcome) {
      http::Scope scope;
      scope.Spawn(Up(forward.get()));
      http::Task<Status> carrying = self->Down(forward.get());
      outcome = co_await carrying;
      self->session_.End(forward->data_stream);
      if (!outcome) forward->connection->Cancel();
      while (!forward->up_over) {
        http::Task<void> waiting = forward->up_ended.Wait();
        co_await waiting;
      }
    } else {
      self->session_.End(forward->data_stream);
    }
    if (!outcome) {
      http::Task<Status> writing =
          self->session_.Write(forward->error_stream, outcome.error().message);
      [[maybe_unused]] const Status written = co_await writing;
    }
    self->session_.End(forward->error_stream);
    forward->over = true;
    forward->room.Notify();
    self->forwards_.erase(request);
    --self->running_;
    self->ended_.Notify();
  }

  http::Task<Status> Connect(Forward* forward) {
    Result<std::unique_ptr<PortConnection>> connection = source_.Connect(ns_, pod_, forward->port);
    if (!connection) co_return connection.error();
    forward->connection = *std::move(connection);
    http::Task<Status> opening = forward->connection->Opened();
    const Status opened = co_await opening;
    if (opened) co_return Ok();
    co_return Context("error forwarding port " + std::to_string(forward->port) + " to pod " + pod_,
                      opened.error());
  }

  http::Task<Status> Down(Forward* forward) {
    while (true) {
      http::Task<Result<std::string>> reading = forward->connection->Read();
      Result<std::string> data = co_await reading;
      if (!data) co_return data.error();
      if (data->empty()) co_return Ok();
      http::Task<Status> writing = session_.Write(forward->data_stream, *std::move(data));
      const Status written = co_await writing;
      if (!written) co_return written;
    }
  }

  static http::Task<void> Up(Forward* forward) {
    bool good = true;
    while (good) {
      if (forward->waiting.empty() && forward->input_ended) break;
      if (forward->waiting.empty()) {
        http::Task<void> waiting = forward->changed.Wait();
        co_await waiting;
        continue;
      }
      std::string data = std::move(forward->waiting.front());
      forward->waiting.pop_front();
      forward->waiting_bytes -= data.size();
      forward->room.Notify();
      http::Task<Status> writing = forward->connection->Write(std::move(data));
      const Status written = co_await writing;
      good = written.has_value();
    }
    if (good) {
      http::Task<Status> ending = forward->connection->End();
      [[maybe_unused]] const Status ended = co_await ending;
    }
    forward->up_over = true;
    forward->waiting.clear();
    forward->waiting_bytes = 0;
    forward->room.Notify();
    forward->up_ended.Notify();
  }

  Carrier& carrier_;
  SpdySession session_;
  SessionSource& source_;
  const std::string ns_;
  const std::string pod_;
  std::map<std::string, std::shared_ptr<Forward>> forwards_;  // by request
  size_t running_ = 0;
  http::Signal ended_;
  http::Scope scope_;  // first to go
};

}  // namespace

http::Task<void> PumpForwards(http::Exchange* exchange, Upgrade upgrade, SessionSource* source,
                              std::string ns, std::string pod) {
  const Carrier::Kind kind = upgrade.transport == Transport::kWebSocket
                                 ? Carrier::Kind::kBinaryMessages
                                 : Carrier::Kind::kBytes;
  http::Task<Status> starting = exchange->StartResponse(101, std::move(upgrade.answer));
  const Status answered = co_await starting;
  if (!answered) co_return;
  Carrier carrier(*exchange, kind, SpdyKeepalive());
  Forwards forwards(carrier, *source, std::move(ns), std::move(pod));
  http::Scope scope;
  scope.Spawn(carrier.WriteQueued());
  http::Task<void> running = forwards.Run();
  co_await running;
  http::Task<void> closing = carrier.Close();
  co_await closing;
}

}  // namespace updraft::controller
