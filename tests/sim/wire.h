// The connection between a client and a server over which one stream after the other is opened, as
// rpc::Link and rpc::PeerStream do it over gRPC. Messages of one direction keep their order; what is
// lost is lost with its stream, and either end may learn of that long before the other: streams of
// one client overlap at the server. A message may come twice: all contracts are level-triggered.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/backoff.h"
#include "tests/sim/chance.h"
#include "tests/sim/scheduler.h"

namespace updraft::sim {

// What the network does to all wires.
struct Weather {
  Scheduler& time;
  Chance& chance;
  bool stormy = false;  // delays, repetitions
  uint64_t next_stream = 1;

  Nanos Latency() {
    if (stormy && chance.OneIn(20)) return chance.Between(Millis(1), Millis(400));
    return chance.Between(Nanos(50'000), Nanos(800'000));
  }
  bool Repeats() { return stormy && chance.OneIn(50); }
};

// A stream as the server sees it.
template <typename Down>
class ServerStream {
 public:
  virtual uint64_t id() const = 0;
  virtual void Send(Down message) = 0;
  virtual bool idle() const = 0;  // nothing waits to be taken by the transport
  virtual void End() = 0;

 protected:
  ~ServerStream() = default;
};

template <typename Up, typename Down>
class ServerEnd {
 public:
  using Stream = std::shared_ptr<ServerStream<Down>>;
  virtual void OnOpened(const Stream& stream) = 0;
  virtual void OnMessage(const Stream& stream, const Up& message) = 0;
  virtual void OnFlushed(const Stream& stream) = 0;
  virtual void OnEnded(const Stream& stream) = 0;

 protected:
  ~ServerEnd() = default;
};

template <typename Down>
class ClientEnd {
 public:
  virtual void OnConnected() = 0;
  virtual void OnMessage(const Down& message) = 0;
  virtual void OnDisconnected() = 0;

 protected:
  ~ClientEnd() = default;
};

template <typename Up, typename Down>
class Wire {
 public:
  explicit Wire(Weather& weather) : weather_(weather) {}
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  // ---- the programs at its ends come and go

  void ClientUp(ClientEnd<Down>& client) {
    client_ = &client;
    failures_ = 0;
    ConnectAfter(Nanos(0));
  }
  void ClientDown() {
    client_ = nullptr;
    ++client_life_;
    if (call_ == nullptr) return;
    const auto call = std::exchange(call_, nullptr);
    call->at_client = false;
    call->down.clear();
    if (weather_.chance.OneIn(2)) call->up.clear();  // else what had left before arrives
    PushEnd(call->up);
    PumpUp(call);
  }
  // Who is up last is connected to; streams to another one, that has not gone yet, stay where they are.
  void ServerUp(ServerEnd<Up, Down>& server) {
    server_ = &server;
    ++server_life_;
  }
  void ServerDown(ServerEnd<Up, Down>& server) {
    if (server_ == &server) server_ = nullptr;
    ++server_life_;
    std::vector<CallPtr> gone;
    for (const auto& call : at_server_) {
      if (call->server == &server) gone.push_back(call);
    }
    for (const auto& call : gone) {
      std::erase(at_server_, call);
      call->server = nullptr;
      call->at_server = false;
      call->up.clear();
      if (weather_.chance.OneIn(2)) call->down.clear();
      PushEnd(call->down);
      PumpDown(call);
    }
  }

  // ---- faults

  // The stream breaks; both ends learn of it some time. No effect when there is none.
  void Break() {
    if (call_ == nullptr) return;
    const auto call = call_;
    call->up.clear();
    call->down.clear();
    PushEnd(call->up, Noticed());
    PushEnd(call->down, Noticed());
    PumpUp(call);
    PumpDown(call);
  }
  // Its client has heard nothing of the server for too long.
  void GiveUpOn(ServerEnd<Up, Down>& server) {
    if (call_ != nullptr && call_->at_client && call_->server == &server) EndAtClient(call_);
  }
  // Nothing passes until Heal(); a cut that lasts is taken for the end of the peer.
  void Cut() {
    if (std::exchange(cut_, true)) return;
    const uint64_t cut = ++cuts_;
    weather_.time.After(kKeepalive, [this, cut] {
      if (cut_ && cut == cuts_) GiveUp();
    });
  }
  void Heal() {
    if (!std::exchange(cut_, false)) return;
    if (call_ != nullptr) PumpDown(call_);
    for (const auto& call : at_server_) PumpUp(call);
    for (const auto& call : std::exchange(stalled_, {})) PumpDown(call);
  }
  bool cut() const { return cut_; }

  // ---- the client

  bool connected() const { return call_ != nullptr && call_->at_client; }
  // Without effect while there is no connection.
  void Send(Up message) {
    if (!connected()) return;
    call_->up.push_back({Ready(call_->up_last), std::move(message)});
    PumpUp(call_);
  }

 private:
  static constexpr Nanos kKeepalive = Seconds(30);
  static constexpr size_t kInTransport = 3;  // messages that the transport takes ahead of the peer

  template <typename Message>
  struct Item {
    TimePoint ready;
    std::optional<Message> message;  // none: the end of the stream
  };

  struct Call final : ServerStream<Down>, std::enable_shared_from_this<Call> {
    Call(Wire& of, uint64_t number) : wire(of), stream(number) {}
    uint64_t id() const override { return stream; }
    void Send(Down message) override { wire.SendDown(this->shared_from_this(), std::move(message)); }
    bool idle() const override { return !writing; }
    void End() override { wire.EndByServer(this->shared_from_this()); }

    Wire& wire;
    ServerEnd<Up, Down>* server = nullptr;  // null: gone
    const uint64_t stream;
    bool at_client = false;  // who takes it for open
    bool at_server = false;
    bool ending = false;
    bool writing = false;
    bool up_pumping = false;
    bool down_pumping = false;
    TimePoint up_last = {};
    TimePoint down_last = {};
    std::deque<Item<Up>> up;
    std::deque<Item<Down>> down;
  };
  using CallPtr = std::shared_ptr<Call>;

  Nanos Noticed() {
    return weather_.chance.OneIn(2) ? weather_.Latency() : weather_.chance.Between(Millis(1), Seconds(5));
  }
  TimePoint Ready(TimePoint& last) {
    last = std::max(last, weather_.time.now() + weather_.Latency());
    return last;
  }
  template <typename Message>
  void PushEnd(std::deque<Item<Message>>& queue, std::optional<Nanos> after = std::nullopt) {
    const TimePoint earliest = queue.empty() ? weather_.time.now() : queue.back().ready;
    queue.push_back({earliest + after.value_or(weather_.Latency()), std::nullopt});
  }

  void ConnectAfter(Nanos delay) {
    weather_.time.After(delay, [this, life = client_life_] {
      if (life == client_life_ && client_ != nullptr && call_ == nullptr) Connect();
    });
  }
  void Connect() {
    if (server_ == nullptr || cut_) {
      const double jitter = static_cast<double>(weather_.chance.Below(1000)) / 1000;
      ConnectAfter(BackoffDelay({.first = Millis(50), .most = Seconds(1)}, ++failures_, jitter));
      return;
    }
    call_ = std::make_shared<Call>(*this, weather_.next_stream++);
    const CallPtr call = call_;
    weather_.time.After(weather_.Latency(), [this, call, life = server_life_] {
      if (server_ == nullptr || server_life_ != life || cut_ || call_ != call) return Abandon(call);
      call->at_server = true;
      call->server = server_;
      at_server_.push_back(call);
      server_->OnOpened(call);
      weather_.time.After(weather_.Latency(), [this, call] {
        if (call_ != call || client_ == nullptr) return;
        call->at_client = true;
        failures_ = 0;
        client_->OnConnected();
        PumpDown(call);
      });
    });
  }
  void Abandon(const CallPtr& call) {
    if (call_ != call) return;
    call_ = nullptr;
    ConnectAfter(Millis(50));
  }

  void SendDown(const CallPtr& call, Down message) {
    if (!call->at_server || call->ending) return;
    call->down.push_back({Ready(call->down_last), std::move(message)});
    call->writing = true;
    PumpDown(call);
    weather_.time.After(weather_.chance.Between(Nanos(10'000), Nanos(300'000)), [this, call] { Flush(call); });
  }
  void Flush(const CallPtr& call) {
    if (!call->writing || call->down.size() > kInTransport) return;
    call->writing = false;
    if (call->at_server && call->server != nullptr) call->server->OnFlushed(call);
  }
  void EndByServer(const CallPtr& call) {
    if (!call->at_server || std::exchange(call->ending, true)) return;
    PushEnd(call->down);
    PumpDown(call);
    weather_.time.After(weather_.Latency(), [this, call] { EndAtServer(call); });
  }

  void PumpUp(const CallPtr& call) {
    if (call->up.empty() || std::exchange(call->up_pumping, true)) return;
    weather_.time.At(call->up.front().ready, [this, call] {
      call->up_pumping = false;
      if (call->up.empty()) return;
      if (cut_) return;  // Heal() goes on
      if (call->up.front().ready > weather_.time.now()) return PumpUp(call);
      Item<Up> item = std::move(call->up.front());
      call->up.pop_front();
      if (!item.message) return EndAtServer(call);
      for (int times = weather_.Repeats() ? 2 : 1; times > 0; --times) {
        if (call->at_server && call->server != nullptr && !call->ending) call->server->OnMessage(call, *item.message);
      }
      PumpUp(call);
    });
  }
  void EndAtServer(const CallPtr& call) {
    if (!call->at_server) return;
    call->at_server = false;
    call->up.clear();
    std::erase(at_server_, call);
    if (call->server != nullptr) call->server->OnEnded(call);
  }

  void PumpDown(const CallPtr& call) {
    if (call->down.empty() || call->down_pumping) return;
    if (!call->at_client && call_ == call) return;  // until it is connected
    call->down_pumping = true;
    weather_.time.At(call->down.front().ready, [this, call] {
      call->down_pumping = false;
      if (call->down.empty()) return;
      if (cut_) {
        if (call != call_) stalled_.push_back(call);
        return;
      }
      if (call->down.front().ready > weather_.time.now()) return PumpDown(call);
      Item<Down> item = std::move(call->down.front());
      call->down.pop_front();
      if (!item.message) return EndAtClient(call);
      for (int times = weather_.Repeats() ? 2 : 1; times > 0; --times) {
        if (call->at_client && client_ != nullptr) client_->OnMessage(*item.message);
      }
      Flush(call);
      PumpDown(call);
    });
  }
  void EndAtClient(const CallPtr& call) {
    if (call_ != call) return;
    call->at_client = false;
    call->down.clear();
    call_ = nullptr;
    if (client_ == nullptr) return;
    ConnectAfter(BackoffDelay({.first = Millis(50), .most = Seconds(1)}, 1, 0.5));
    client_->OnDisconnected();
  }

  // The cut lasted for too long: the server takes the peer for dead, and the client does when it hears of it.
  void GiveUp() {
    for (const auto& call : std::vector<CallPtr>(at_server_)) {
      call->up.clear();
      call->down.clear();
      PushEnd(call->down);
      EndAtServer(call);
    }
    if (call_ != nullptr && weather_.chance.OneIn(2)) EndAtClient(call_);
  }

  Weather& weather_;
  ClientEnd<Down>* client_ = nullptr;
  ServerEnd<Up, Down>* server_ = nullptr;
  uint64_t client_life_ = 0;
  uint64_t server_life_ = 0;
  int failures_ = 0;
  bool cut_ = false;
  uint64_t cuts_ = 0;
  CallPtr call_;                    // the client's
  std::vector<CallPtr> at_server_;  // that the server takes for open
  std::vector<CallPtr> stalled_;
};

}  // namespace updraft::sim
